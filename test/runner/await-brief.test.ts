/** How a container that waits takes its brief: with its token, once, and never again. */
import { expect, it } from "vitest";
import { INSTANCE_HOST } from "#protocol/container-brief.ts";
import { awaitBrief } from "#sandbox-runner/attempt/await-brief.ts";
import { drawFreePort } from "#scripts/instance/ports.ts";

const TOKEN = "a-token-of-the-tests";
const BRIEF = {
  instance_url: `http://${INSTANCE_HOST}`,
  lease: { run_id: "run_0ABCDEFGHJKMNPQRSTVWXYZ012", generation: 1 },
  link_token: "link",
  proxy_token: "proxy",
  runner: { kind: "container", id: "warm-1" },
};

async function waiting(ready = Promise.resolve()) {
  const port = await drawFreePort();
  const given = new AbortController();
  const taken = awaitBrief({ token: TOKEN, port, ready, given: given.signal });
  const ask = async (method: string, path: string, body?: string, token = TOKEN): Promise<number> => {
    const headers = { authorization: `Bearer ${token}` };
    const init = body === undefined ? { method, headers } : { method, headers, body };
    return (await fetch(`http://127.0.0.1:${port}${path}`, init)).status;
  };
  return { taken, given, ask };
}

it("is ready when all is prepared, and takes the first brief that comes with its token", async () => {
  const prepared = Promise.withResolvers<void>();
  const { taken, ask } = await waiting(prepared.promise);
  expect(await ask("GET", "/ready")).toBe(503);
  prepared.resolve();
  expect(await ask("GET", "/ready")).toBe(200);
  const brief = JSON.stringify(BRIEF);
  const refused: [string, string, string | undefined, string, number][] = [
    ["GET", "/ready", undefined, "another", 401],
    ["POST", "/brief", brief, "another", 401],
    ["POST", "/brief", brief, `${TOKEN}0`, 401],
    ["POST", "/brief", "{}", TOKEN, 400],
    ["POST", "/brief", "no JSON", TOKEN, 400],
    ["GET", "/brief", undefined, TOKEN, 404],
    ["POST", "/ready", brief, TOKEN, 404],
    ["POST", "/brief/", brief, TOKEN, 404],
  ];
  for (const [method, path, body, token, status] of refused) {
    expect([method, path, await ask(method, path, body, token)]).toEqual([method, path, status]);
  }
  await expect(ask("POST", "/brief", "x".repeat(70_000))).rejects.toThrow();
  const answers = await Promise.allSettled([ask("POST", "/brief", brief), ask("POST", "/brief", brief)]);
  const statuses = answers.flatMap((answer) => (answer.status === "fulfilled" ? [answer.value] : []));
  expect(statuses.filter((status) => status === 204)).toHaveLength(1);
  expect(await taken).toEqual(BRIEF);
  await expect(ask("GET", "/ready")).rejects.toThrow();
});

it("takes none any more once nobody wants it", async () => {
  const { taken, given, ask } = await waiting();
  given.abort();
  expect(await taken).toBeNull();
  await expect(ask("POST", "/brief", JSON.stringify(BRIEF))).rejects.toThrow();
});
