/** `npm start` says whether the model's API takes the key, and takes a silent network for no refusal. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, it } from "vitest";
import { checkModel } from "#scripts/instance/model-check.ts";

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

const refusal: Answer = (_request, response) => {
  response.writeHead(401, { "content-type": "application/json" });
  response.end('{"type":"error","error":{"type":"authentication_error","message":"invalid\\u001b[31m x-api-key"}}');
};
const status =
  (code: number, headers: Record<string, string> = {}): Answer =>
  (_request, response) =>
    void response.writeHead(code, headers).end("{}");
const listOnly =
  (list: Answer, count: Answer): Answer =>
  (request, response) =>
    request.url?.startsWith("/v1/models") ? list(request, response) : count(request, response);

/** @returns what is said of a model behind an address that answers so, and the requests that it saw. */
async function check(answer: Answer, deadlineMs = 60_000) {
  const seen: string[] = [];
  const server = createServer((request, response) => {
    seen.push(`${request.method} ${request.url} ${request.headers["x-api-key"]}`);
    answer(request, response);
  });
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const access = { apiKey: "key", baseUrl, model: undefined };
  const checked = await checkModel(access, new AbortController().signal, deadlineMs);
  server.closeAllConnections();
  await new Promise((closed) => server.close(closed));
  return { ...checked, seen };
}

const GOOD = /^claude-sonnet-5, with your ANTHROPIC_API_KEY, which its API takes$/;
const UNSURE = /^claude-sonnet-5, with your ANTHROPIC_API_KEY, which could not be checked: http:/;

describe("the model's key at the start", () => {
  it.each<[string, Answer, boolean, RegExp]>([
    ["is good", status(200), false, GOOD],
    [
      "is refused with words",
      refusal,
      true,
      /refuses your ANTHROPIC_API_KEY \(401: invalid \[31m x-api-key\), .*model_key_refused/,
    ],
    ["is refused without a body", status(403), true, /refuses your ANTHROPIC_API_KEY \(403\)/],
    ["may not list models, and may call them", listOnly(refusal, status(200)), false, GOOD],
    ["may list models, and not call this one", listOnly(status(200), refusal), false, GOOD],
    ["may not list models, and the model is unknown", listOnly(status(403), status(404)), false, UNSURE],
    ["meets a gateway that counts nothing", status(404), false, UNSURE],
    ["meets a service that is down", status(503), false, UNSURE],
    ["meets a sign-in page", status(302, { location: "/login" }), false, UNSURE],
    ["meets a broken connection", (request) => void request.socket.destroy(), false, UNSURE],
  ])("%s", async (_what, answer, isRefused, sentence) => {
    const { seen, ...checked } = await check(answer);
    expect(checked).toEqual({ isRefused, sentence: expect.stringMatching(sentence) });
    expect(seen[0]).toBe("POST /v1/messages/count_tokens key");
    expect(seen.length).toBeLessThanOrEqual(2);
  });

  it("is not waited for when nobody answers", async () => {
    expect(await check(() => {}, 50)).toMatchObject({ isRefused: false, sentence: expect.stringMatching(UNSURE) });
  });

  it.each(["sk-ant-…", "sk-ant-one two"])("is none when it is %s", async (apiKey) => {
    const access = { apiKey, baseUrl: "http://127.0.0.1:1", model: undefined };
    expect(await checkModel(access, new AbortController().signal)).toEqual({
      isRefused: true,
      sentence: expect.stringMatching(/^none that answers: your ANTHROPIC_API_KEY has a character that no key has, /),
    });
  });

  it("goes with the model that routines without one use", async () => {
    const access = { apiKey: "key", baseUrl: "http://127.0.0.1:1", model: "claude-opus-5-5" };
    const { sentence } = await checkModel(access, new AbortController().signal);
    expect(sentence).toMatch(/^claude-opus-5-5, with your ANTHROPIC_API_KEY, which could not be checked: /);
  });

  it("is not looked for when there is none", async () => {
    const access = { apiKey: undefined, baseUrl: "http://127.0.0.1:1", model: undefined };
    const { sentence } = await checkModel(access, new AbortController().signal);
    expect(sentence).toContain("offline demo model");
  });
});
