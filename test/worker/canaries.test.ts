/** What looks for secrets at the end of each file of tests finds them, wherever they are. */
import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it, vi } from "vitest";
import { findSecrets, noteAnswer, noteSaid, secretIn } from "#test/support/canaries.ts";
import { hide } from "#test/support/hidden.ts";
import { listen } from "#test/support/log-lines.ts";
import { TestSocket } from "#test/support/test-socket.ts";

const CANARY = "canary-of-the-detector";

describe("a secret is found", () => {
  it("in a row of D1", async () => {
    await env.DB.prepare("INSERT INTO heartbeats (name, at) VALUES (?1, 1)").bind(`a ${CANARY}`).run();
    expect(await findSecrets()).toEqual([{ where: "D1: heartbeats", what: CANARY }]);
    await env.DB.prepare("DELETE FROM heartbeats").run();
  });

  it("in R2", async () => {
    await env.BODIES.put("one", `a ${env.SIGNING_KEY}`);
    expect(await findSecrets()).toEqual([{ where: "R2: one", what: env.SIGNING_KEY?.slice(0, 24) }]);
    await env.BODIES.delete("one");
  });

  it("in a table and in an entry of an object", async () => {
    const stub = env.GATE.get(env.GATE.idFromName("instance"));
    const write = (work: (storage: DurableObjectStorage) => unknown) =>
      runInDurableObject(stub, async (_, { storage }) => void (await work(storage)));
    await write(({ sql }) => sql.exec("CREATE TABLE t (x); INSERT INTO t VALUES (CAST(? AS BLOB))", CANARY));
    expect(await findSecrets()).toEqual([{ where: "storage of GATE", what: CANARY }]);
    await write(({ sql }) => sql.exec("DROP TABLE t"));
    await write((storage) => storage.put("x", { y: [CANARY] }));
    expect(await findSecrets()).toEqual([{ where: "storage of GATE", what: CANARY }]);
    await write((storage) => storage.delete("x"));
  });

  it("in the log, whether a test listens or not", async () => {
    console.info(`a ${env.OWNER_TOKEN}`);
    listen();
    console.warn(CANARY);
    vi.restoreAllMocks();
    const found = new Map((await findSecrets()).map(({ what, where }) => [what, where]));
    expect(Object.fromEntries(found)).toEqual({
      [CANARY]: "the log",
      [env.OWNER_TOKEN?.slice(0, 24) ?? ""]: "the log",
    });
  });

  it("in an answer's text, JSON or headers, in what a socket says, and when it was named", async () => {
    const answers = ["text", "json"] as const;
    for (const read of answers) await noteAnswer(read, Response.json({ a: CANARY }))[read]();
    noteAnswer("headers", new Response(null, { headers: { location: `/?${CANARY}` } }));
    const [client, server] = Object.values(new WebSocketPair()) as [WebSocket, WebSocket];
    server.accept();
    const socket = new TestSocket(client, "/x");
    for (const type of ["offer", "welcome", "ack"]) server.send(JSON.stringify({ type, words: CANARY }));
    await socket.next(({ type }) => type === "ack");
    hide("drawn-by-a-test-0123");
    noteSaid("a viewer", "drawn-by-a-test-0123");
    const found = (await findSecrets()).map(({ where }) => where);
    const ofSocket = ["offer", "welcome", "ack"].map((type) => `the socket /x: ${type}`);
    expect(found).toEqual(["text", "json", "headers", ...ofSocket, "a viewer"]);
  });

  it("in an answer", async () => {
    noteSaid("the answer to GET /x", JSON.stringify({ password: "upstream-user:upstream-password" }));
    expect(await findSecrets()).toEqual([{ where: "the answer to GET /x", what: "upstream-user:upstream-p" }]);
  });
});

it("is found in the last of many rows, in D1 and in an object", async () => {
  const many = (table: string, first: string) =>
    `INSERT INTO ${table} WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000)
      SELECT iif(i = 5000, '${CANARY}', ${first}), i FROM n`;
  await env.DB.prepare(many("heartbeats (name, at)", "'row ' || i")).run();
  expect(await findSecrets()).toEqual([{ where: "D1: heartbeats", what: CANARY }]);
  await env.DB.prepare("DELETE FROM heartbeats").run();
  const stub = env.GATE.get(env.GATE.idFromName("instance"));
  const inGate = (statement: string) => runInDurableObject(stub, (_, { storage }) => void storage.sql.exec(statement));
  await inGate("CREATE TABLE t (x, i)");
  await inGate(many("t", "i"));
  expect(await findSecrets()).toEqual([{ where: "storage of GATE", what: CANARY }]);
  await inGate("DROP TABLE t");
});

describe("by its form", () => {
  const hex = "0123456789abcdef".repeat(4);
  const lease = `run_${"0".repeat(26)}_1`;
  it.each<[what: string, secret: string, seenIn: string | null]>([
    ["a fire token", `rvf_${hex}`, "the answer to POST /api/v1/routines/rtn_1/token"],
    ["a ticket", `rvt_${hex}`, "the answer to a browser's POST /api/v1/sessions/session_1/ticket"],
    ["an endpoint's secret", `rvw_${hex}`, "the answer to POST /api/v1/routines/rtn_1/triggers/trg_1/secret"],
    ["a pool's token", `rvp_gpu-8_${hex}`, "the answer to POST /api/v1/pools"],
    ["a sign-in", `rvl_web_${hex}`, "the answer to POST /api/v1/sign-in"],
    ["a sign-in code", `rvl_code_${hex}`, "the answer to a browser's POST /api/v1/sign-in/codes"],
    ["the state of the App's setup", `rvl_setup_${hex}`, "the answer to POST /api/v1/github/app/setup"],
    ["a link token", `rvl_link_${lease}_${hex}`, "the socket /runner/pool: offer"],
    ["a proxy token", `rvl_proxy_${lease}_${hex}`, "the socket /runner/pool: offer"],
    ["a token of GitHub's", "ghs_16C7e42F292c6912E7710c838347Ae178B4a", null],
    ["a model key", env.ANTHROPIC_API_KEY ?? "", null],
    ["git's credential, as a header has it", btoa("upstream-user:upstream-password"), null],
    ["a signing key in base64 with others", btoa(`{"key":"${env.SIGNING_KEY}"}`), null],
    ["what a test has planted, in base64", btoa(`x=${CANARY}`), null],
    ["the value of a run's secret", CANARY, "the socket /runner/runs/run_1/link: welcome"],
  ])("%s is found, but where it is shown", (_what, secret, seenIn) => {
    for (const where of ["the log", "D1: runs", "the socket /x: events", "the answer to GET /api/v1/routines"]) {
      expect(secretIn(where, `a "${secret}".`)).not.toBeNull();
    }
    if (seenIn !== null) expect(secretIn(seenIn, `a "${secret}".`)).toBeNull();
  });
});

it("is not found where there is none", async () => {
  expect(secretIn("the log", "canary- canaries rk1.0123456789abcdef rvf_")).toBeNull();
  expect(await findSecrets()).toEqual([]);
});
