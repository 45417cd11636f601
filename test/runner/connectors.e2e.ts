/** The real agent, in the real sandbox, uses a real MCP server from npm through the relay and the worker's proxy. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { call } from "./support/agent-steps.ts";
import { Bed, GIT_CREDENTIAL, noSandbox, report } from "./support/bed.ts";
import { startServer } from "./support/connector-bed.ts";
import { startWorkerGit, type WorkerGit } from "./support/worker-git.ts";

const TOKEN = "canary-of-the-connector-0003";
const SERVER = "node_modules/@modelcontextprotocol/server-everything/dist/index.js";

describe.skipIf(noSandbox !== null)("a connector", () => {
  let bed: Bed;
  let worker: WorkerGit | undefined;
  let server: Awaited<ReturnType<typeof startServer>>;
  const seen: unknown[] = [];

  beforeAll(async () => {
    server = await startServer(SERVER, ["streamableHttp"]);
    const rows = (name: string) => ({
      id: `con_${name}`,
      name,
      url: name === "down" ? "http://127.0.0.1:9/mcp" : server.url,
      auth: { type: "bearer", token: "{{TOKEN}}" },
      status: "ready",
      status_detail: null,
      revision: 1,
      server: null,
      checked_at: null,
      tools: [{ name: "look", description: "Looks.", read_only: true }],
    });
    const connectors = {
      connectors: { find: async (name: string) => rows(name), keepState: async () => {}, noteUse: async () => {} },
      secretValues: {
        fill: async () => ({ ok: true, variables: { authorization: `Bearer ${TOKEN}` }, secret_values: [TOKEN] }),
      },
      outside: {
        hasLoopback: true,
        fetch: (url: string, init: RequestInit) => {
          seen.push(new Headers(init.headers).get("authorization"));
          return fetch(url, init);
        },
      },
    };
    bed = await Bed.make(
      {},
      {
        workerGit: async () => {
          worker = await startWorkerGit({ credential: GIT_CREDENTIAL, addressOf: () => null, connectors });
          return worker;
        },
      },
    );
  });
  afterAll(async () => {
    server.close();
    await bed.close();
  });

  it("has its tools called, its images and progress shown, what is denied neither listed nor called, and one that is down says so", async () => {
    const run = bed.run(
      [
        call("mcp__everything__echo", { message: "hello" }),
        call("mcp__everything__get-tiny-image", {}),
        call("mcp__everything__trigger-long-running-operation", { duration: 1, steps: 2 }),
        call("mcp__everything__get-env", {}),
        call("mcp__down__look", {}),
        report("done", "Looked."),
        "Bye.",
      ],
      [],
      {
        mcp_servers: ["everything", "down"],
        tools: { deny: ["mcp__everything__get-sum"], ask: [] },
      },
    );
    expect((await run.finished()).outcome).toEqual({ status: "succeeded" });
    const results = run.events.filter((event) => event.type === "tool.result").map(({ text }) => text);
    expect(results[0]).toContain("Echo: hello");
    expect(results[2]).toContain("Long running operation completed");
    expect(results[3]).toMatch(/No such tool|can't be called/);
    expect(results[4]).toContain("The connector down could not be used");
    const [first] = bed.conversations.get(run.order.task) ?? [];
    expect(first?.tools).toEqual(expect.arrayContaining(["mcp__everything__echo", "mcp__down__look"]));
    expect(first?.tools).not.toContain("mcp__everything__get-env");
    expect(new Set(seen)).toEqual(new Set([`Bearer ${TOKEN}`]));
    expect(JSON.stringify([bed.conversations.get(run.order.task), run.events])).not.toContain(TOKEN);
    const notices = worker?.seenOf(run.order.run_id).notices ?? [];
    expect(notices.map(({ code }) => code)).toContain("connector_unreachable");
  });
});
