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
    expect(found).toEqual(["text", "json", "headers", "the socket /x", "a viewer"]);
  });

  it("in an answer", async () => {
    noteSaid("the answer to GET /x", JSON.stringify({ password: "upstream-user:upstream-password" }));
    expect(await findSecrets()).toEqual([{ where: "the answer to GET /x", what: "upstream-user:upstream-p" }]);
  });
});

it("is not found where there is none", async () => {
  expect(secretIn("canary- canaries rk1.0123456789abcdef")).toBeNull();
  expect(await findSecrets()).toEqual([]);
});
