/** `reveille doctor` beside instances with planted faults: each is named, with what to do. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { examine } from "#cli/doctor/examine.ts";
import { instanceOf } from "#cli/doctor/instance.ts";
import { main } from "#cli/main.ts";
import { ownVersion } from "#cli/version.ts";
import type { Diagnosis } from "#protocol/diagnosis.ts";

const TOKEN = "owner-token-of-the-doctors-test-0001";

interface Said {
  status: number;
  body: unknown;
}

let folder: string;
let server: Server;
/** What the instance answers; a fault is planted in it. */
let answers: Record<string, Said>;
/** How far the instance's clock is off this machine's, in milliseconds. */
let offMs = 0;
/** Whether its answers tell the time, as those do that come through Cloudflare. */
let isDated = true;

const refusal = (message: string, issues: { field: string; message: string }[] = []) => ({
  type: "error",
  error: { type: "authentication_error", message, details: { code: "x", issues } },
  request_id: "req_1",
});
const address = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "reveille-doctor-"));
  server = createServer((request: IncomingMessage, response) => {
    const isOwner = request.headers.authorization === `Bearer ${TOKEN}`;
    const { status, body } = answers[request.url ?? ""] ?? { status: 404, body: "nothing" };
    const said =
      request.url === "/api/v1/instance/diagnosis" && !isOwner ? { status: 401, body: {} } : { status, body };
    // Node's own header has the real time, whatever clock the tests have.
    response.sendDate = false;
    if (isDated) response.setHeader("date", new Date(Date.now() + offMs).toUTCString());
    response.writeHead(said.status).end(JSON.stringify(said.body));
  });
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
});
afterAll(() => {
  server.close();
  rmSync(folder, { recursive: true });
});

beforeEach(() => {
  offMs = 0;
  isDated = true;
  const diagnosis: Diagnosis = {
    version: ownVersion(),
    at: "2026-11-25T10:00:00.000Z",
    public_url: null,
    is_local: false,
    findings: [{ check: "queue", status: "ok", message: "The queue hands on what it is given.", hint: null }],
  };
  answers = {
    "/healthz": { status: 200, body: { ok: true, version: ownVersion() } },
    "/readyz": { status: 200, body: { ok: true, version: ownVersion() } },
    "/api/v1/instance/diagnosis": { status: 200, body: diagnosis },
    "/webhooks/github": { status: 401, body: refusal("The signature is missing.") },
  };
});

function examined(token: string | null = TOKEN) {
  const version = ownVersion();
  return examine({ url: address(), token, asksModel: false, version, ask: fetch, now: Date.now });
}

function answer(path: string, said: Said): void {
  answers[path] = said;
}

function setClock(byMs: number): void {
  offMs = byMs;
}

const wrong = async (found: ReturnType<typeof examined>) =>
  (await found).filter(({ status }) => status !== "ok").map(({ check, status, message }) => [check, status, message]);

it("finds nothing where all is well", async () => {
  expect((await examined()).map(({ check, status }) => [check, status])).toEqual([
    ["address", "ok"],
    ["version", "ok"],
    ["clock", "ok"],
    ["readyz", "ok"],
    ["queue", "ok"],
    ["webhooks", "ok"],
  ]);
});

it("takes the clock of an instance on this machine for its own where no answer tells the time", async () => {
  isDated = false;
  const found = (await examined()).find(({ check }) => check === "clock");
  expect(found).toMatchObject({ status: "ok", message: expect.stringContaining("on this machine") });
});

it.each<[string, () => void, unknown[][]]>([
  [
    "another program at the address",
    () => answer("/healthz", { status: 200, body: "hello" }),
    [["address", "fault", expect.stringContaining("is no instance of Reveille (200)")]],
  ],
  [
    "another version",
    () => answer("/healthz", { status: 200, body: { ok: true, version: "0.0.1" } }),
    [["version", "warning", expect.stringContaining("It is version 0.0.1")]],
  ],
  [
    "a clock that is minutes late",
    () => setClock(-600_000),
    [["clock", "fault", expect.stringMatching(/differ by [56]\d\d seconds/)]],
  ],
  [
    "a clock that is minutes early",
    () => setClock(600_000),
    [["clock", "fault", expect.stringMatching(/differ by [56]\d\d seconds/)]],
  ],
  [
    "what readiness names",
    () => {
      const issues = [
        { field: "SIGNING_KEY", message: "is missing: wrangler secret put SIGNING_KEY" },
        { field: "schema", message: "0009 is not applied: npx wrangler d1 migrations apply" },
      ];
      answers["/readyz"] = { status: 503, body: refusal("The instance is not ready.", issues) };
    },
    [
      ["SIGNING_KEY", "fault", "SIGNING_KEY: is missing."],
      ["schema", "fault", "schema: 0009 is not applied."],
    ],
  ],
  [
    "what the instance finds itself",
    () => {
      const finding = { check: "sweep", status: "fault", message: "The sweep was never called.", hint: "Deploy." };
      Object.assign(answers["/api/v1/instance/diagnosis"]?.body as Diagnosis, { findings: [finding] });
    },
    [["sweep", "fault", "The sweep was never called."]],
  ],
  [
    "a public address at which nothing is",
    () =>
      void Object.assign(answers["/api/v1/instance/diagnosis"]?.body as Diagnosis, { public_url: `${address()}/x` }),
    [["PUBLIC_URL", "fault", expect.stringContaining("what answers there is no instance (404)")]],
  ],
  [
    "a wall in front of webhooks",
    () => answer("/webhooks/github", { status: 302, body: "sign in" }),
    [["webhooks", "fault", expect.stringContaining("something else answers there (302)")]],
  ],
  [
    "an instance whose diagnosis fails",
    () => answer("/api/v1/instance/diagnosis", { status: 500, body: refusal("It broke.") }),
    [["diagnosis", "fault", "The instance did not look itself over (500): It broke."]],
  ],
])("names %s", async (_what, plant, expected) => {
  plant();
  expect(await wrong(examined())).toEqual(expected);
});

it("names a token that is refused, one that is missing, and an address where nothing is", async () => {
  expect(await wrong(examined("wrong"))).toEqual([["OWNER_TOKEN", "fault", expect.any(String)]]);
  expect(await wrong(examined(null))).toEqual([["OWNER_TOKEN", "unknown", "No token was given."]]);
  const ask = () => Promise.reject(new TypeError("fetch failed", { cause: new Error("connect ECONNREFUSED") }));
  const nowhere = examine({ url: "http://x", token: null, asksModel: false, version: "1", ask, now: Date.now });
  expect(await wrong(nowhere)).toEqual([["address", "fault", "Nothing answers at http://x: connect ECONNREFUSED."]]);
});

it("says what to do about each fault that readiness names", async () => {
  const issues = [
    { field: "SIGNING_KEY", message: "must be at least 32 characters" },
    { field: "schema", message: "0009 is not applied: npm run deploy" },
  ];
  answer("/readyz", { status: 503, body: refusal("The instance is not ready.", issues) });
  const hints = (await examined()).filter(({ status }) => status === "fault").map(({ hint }) => hint);
  expect(hints).toEqual([expect.stringContaining("wrangler secret put"), "npm run deploy"]);
});

it.each([
  ["the same deployment", "a", "a", "ok"],
  ["another deployment", "a", "b", "warning"],
  ["a local instance in place of a deployed one", "a", undefined, "warning"],
  ["the same local instance", undefined, undefined, "ok"],
])("tells whether %s answers at the public address", async (_what, own, there, status) => {
  const health = (deployment: string | undefined) => ({ ok: true, version: ownVersion(), deployment });
  answer("/healthz", { status: 200, body: health(own) });
  answer("/public/healthz", { status: 200, body: health(there) });
  answer("/public/webhooks/github", { status: 401, body: refusal("The signature is missing.") });
  Object.assign(answers["/api/v1/instance/diagnosis"]?.body as Diagnosis, { public_url: `${address()}/public` });
  const found = await examined();
  expect(found.filter(({ check }) => check === "PUBLIC_URL")).toMatchObject([{ status }]);
});

it("takes the instance that is named, else the local one, and says where there is none", async () => {
  const named = await instanceOf({ url: "https://r.test/" }, { OWNER_TOKEN: "t" }, folder);
  expect(named).toEqual({ ok: true, instance: { url: "https://r.test", token: "t" } });
  expect(await instanceOf({ url: "r.test" }, {}, folder)).toMatchObject({
    ok: false,
    fault: expect.stringContaining("must be an http"),
  });
  expect(await instanceOf({}, {}, folder)).toMatchObject({ ok: false, fault: expect.stringContaining("npm start") });
  const state = { REVEILLE_STATE: folder };
  writeFileSync(join(folder, "local.json"), JSON.stringify({ url: "http://localhost:1", owner_token: TOKEN }));
  expect(await instanceOf({}, state, "/")).toEqual({ ok: true, instance: { url: "http://localhost:1", token: TOKEN } });
});

it.each([
  [[], 0, /^ok {4}address .*nothing is wrong\.$/s],
  [["--json"], 0, /^\{"check":"address","status":"ok"[^\n]*\}\n/],
])("with %j ends with %i", async (words, code, expected) => {
  const lines: string[] = [];
  const terminal = { out: (line: string) => void lines.push(line), say: () => {} };
  const environment = { OWNER_TOKEN: TOKEN };
  expect(await main(["doctor", "--url", address(), ...words], terminal, environment)).toBe(code);
  expect(lines.join("\n")).toMatch(expected);
  answers["/readyz"] = { status: 503, body: refusal("Not ready.") };
  expect(await main(["doctor", "--url", address(), ...words], terminal, environment)).toBe(1);
});
