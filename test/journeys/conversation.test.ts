/** What an agent has said in a session's earlier runs, and the workspace that they left, are there for the next one. */
import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env, exports } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { z } from "zod";
import {
  conversationPath,
  orderedConversationSchema,
  WORKSPACE_LIMIT_BYTES,
  WORKSPACE_SHA256,
  workspacePath,
} from "#protocol/conversation.ts";
import type { FrameBody } from "#protocol/runner-link.ts";
import { sdkSessionId } from "#rules/run/sdk-session-id.ts";
import { buildRoutine, call, fired } from "#test/support/api.ts";
import { FakeRunner, type FakeWork, RUNNING, SUCCEEDED } from "#test/support/fake-runner.ts";
import { fail, method } from "#test/support/hang.ts";
import { listen } from "#test/support/log-lines.ts";
import { evictOwnerOf, ownerOf } from "#test/support/objects.ts";

const KEPT_MS = 90 * 24 * 3_600_000;

const VERSION = "0.3.330";
const ARCHIVE = new Uint8Array(300_000).fill(5);
const orderSchema = z.object({ session_id: z.string(), conversation: orderedConversationSchema });
const says = (text: string, file: string | null = null): FrameBody => ({
  kind: "conversation",
  sdk_version: VERSION,
  file,
  text,
});
const entry = (text: string) => `${JSON.stringify({ type: "user", text })}\n`;
const FINISHED = { kind: "finished", outcome: { status: "succeeded" }, report: null } as const;
let runner: FakeRunner;
beforeEach(async () => {
  runner = await FakeRunner.join({ capacity: 20 });
});
afterEach(() => runner[Symbol.dispose]());

interface Session {
  routine: Awaited<ReturnType<typeof buildRoutine>>;
  id: string;
}

/** The first run of a new session, whose runner has said hello. */
async function begin(input: Record<string, unknown> = {}): Promise<{ work: FakeWork; session: Session }> {
  const routine = await buildRoutine(input);
  const { claude_code_session_id: id } = await fired(routine);
  return { work: await runner.work(await runner.accept()), session: { routine, id } };
}

/** Another run of the session, which a person's message starts. Its attempt's runner has said hello. */
async function goOn({ id }: Session): Promise<FakeWork> {
  const sent = await call("POST", `/api/v1/sessions/${id}/messages`, { text: "Go on, please." });
  expect(sent.status).toBeLessThan(300);
  const work = await runner.work(await runner.accept());
  expect(orderSchema.parse(work.order).session_id).toBe(id);
  return work;
}

function conversationOf(work: FakeWork) {
  return orderSchema.parse(work.order).conversation;
}

function ask(work: FakeWork, path: string, init: RequestInit = {}, token = work.offer.link_token): Promise<Response> {
  const headers = { ...init.headers, authorization: `Bearer ${token}` };
  return exports.default.fetch(new Request(`http://reveille.test${path}`, { ...init, headers }));
}

function askFile(work: FakeWork, number: number): Promise<Response> {
  return ask(work, conversationPath(work.offer.lease.run_id, number));
}

async function fileText(work: FakeWork, number: number): Promise<string> {
  const answer = await askFile(work, number);
  expect(answer.status).toBe(200);
  return new TextDecoder().decode(await answer.arrayBuffer());
}

async function sha256Of(content: Uint8Array<ArrayBuffer>): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", content)).toHex();
}

async function sendWorkspace(work: FakeWork, content = ARCHIVE): Promise<FrameBody> {
  const sha256 = await sha256Of(content);
  const path = workspacePath(work.offer.lease.run_id);
  const sent = await ask(work, path, { method: "PUT", body: content, headers: { [WORKSPACE_SHA256]: sha256 } });
  expect(sent.status).toBe(204);
  return { kind: "workspace", archive: { bytes: content.length, sha256 }, left_out: ["big.bin"], left_out_count: 1 };
}

async function keysOf({ routine }: Session): Promise<string[]> {
  const { objects } = await env.BODIES.list({ prefix: `conversations/${routine.id}/` });
  return objects.map(({ key }) => key.slice(`conversations/${routine.id}/`.length));
}

describe("a session's next run", () => {
  it("goes on from all that was said and kept, whatever was lost on the way", async () => {
    const { work, session } = await begin();
    expect(conversationOf(work)).toEqual({ sdk_session_id: sdkSessionId(session.id), resume: null });
    expect((await askFile(work, 0)).status).toBe(404);
    await work.report(RUNNING, says(entry("one")), says(entry("of a subagent"), "subagents/agent-1.jsonl"));
    work.send(says(entry("two")));
    await evictOwnerOf(session.routine.id);
    // What was not acknowledged is sent again.
    await work.connect();
    await work.report(says(entry("three").slice(0, 9)), says(entry("three").slice(9)));
    const input = { command: "make" };
    await work.report({ kind: "event", event: { type: "tool.call", tool_call_id: "toolu_1", name: "Bash", input } });
    await work.report(await sendWorkspace(work));
    await work.finish();
    await evictOwnerOf(session.routine.id);

    const next = await goOn(session);
    const { sdk_session_id, resume } = conversationOf(next);
    expect(sdk_session_id).toBe(sdkSessionId(session.id));
    const text = entry("one") + entry("two") + entry("three");
    expect(resume).toEqual({
      sdk_version: VERSION,
      files: [
        { file: null, bytes: text.length },
        { file: "subagents/agent-1.jsonl", bytes: entry("of a subagent").length },
      ],
      calls: [{ tool_call_id: "toolu_1", name: "Bash", input: JSON.stringify(input) }],
      workspace: {
        archive: { bytes: ARCHIVE.length, sha256: await sha256Of(ARCHIVE) },
        left_out: ["big.bin"],
        left_out_count: 1,
        is_latest: true,
      },
    });
    expect(await fileText(next, 0)).toBe(text);
    expect(await fileText(next, 1)).toBe(entry("of a subagent"));
    expect((await askFile(next, 2)).status).toBe(404);
    const archive = await ask(next, workspacePath(next.offer.lease.run_id));
    expect(new Uint8Array(await archive.arrayBuffer())).toEqual(ARCHIVE);

    // Whoever asks now may be anybody.
    await next.report(RUNNING);
    expect((await askFile(next, 0)).status).toBe(404);
    expect((await ask(next, workspacePath(next.offer.lease.run_id))).status).toBe(404);
    // Its workspace was lost with its machine.
    await next.report(says(entry("four")));
    await next.finish();
    const last = await goOn(session);
    expect(await fileText(last, 0)).toBe(text + entry("four"));
    expect(conversationOf(last).resume?.workspace).toMatchObject({ is_latest: false });
    await last.finish();
  });

  it("does not go on from what an attempt had said that was made again", async () => {
    const { work, session } = await begin({ retry: { max: 1, backoff: "1s" } });
    await work.report(RUNNING, says(entry("in vain")));
    const error = { code: "runner_failed", message: "", hint: "", phase: "agent" } as const;
    await work.finish({ ...SUCCEEDED, outcome: { status: "failed", error }, report: null } as FrameBody);
    const again = await runner.work(await runner.accept());
    expect(again.offer.lease.generation).toBe(2);
    expect(conversationOf(again).resume).toBeNull();
    await again.report(RUNNING, says(entry("again")));
    await again.finish();
    const next = await goOn(session);
    expect(await fileText(next, 0)).toBe(entry("again"));
    await next.finish();
  });

  it("finds in R2 what is too long for the object, also when R2 had been away", async () => {
    const { work, session } = await begin();
    const pieces = Array.from({ length: 12 }, (_, number) => `${entry(`${number} ${"é".repeat(60_000)}`)}`);
    {
      using away = fail(method(Object.getPrototypeOf(env.BODIES), "put"));
      await work.report(RUNNING, ...pieces.slice(0, 8).map((piece) => says(piece)));
      await away.untilMet();
    }
    await work.report(...pieces.slice(8).map((piece) => says(piece, "subagents/agent-1.jsonl")));
    await work.finish();
    // Once no run is on, all of it lies there.
    await vi.waitUntil(async () => {
      await runDurableObjectAlarm(ownerOf(session.routine.id));
      return (await looseBytesOf(session)) < 16_384;
    }, 30_000);
    expect((await keysOf(session)).length).toBeGreaterThan(1);
    const next = await goOn(session);
    expect(await fileText(next, 0)).toBe(pieces.slice(0, 8).join(""));
    expect(await fileText(next, 1)).toBe(pieces.slice(8).join(""));
    await next.finish();
  });
});

describe("what is kept", () => {
  it("is given and taken with the link token of an attempt that is on, and nobody else's", async () => {
    const { work } = await begin();
    const other = await begin();
    const path = workspacePath(work.offer.lease.run_id);
    const init = { method: "PUT", body: ARCHIVE, headers: { [WORKSPACE_SHA256]: await sha256Of(ARCHIVE) } };
    const { link_token, proxy_token } = work.offer;
    const status = async (sent: RequestInit, token: string) => (await ask(work, path, sent, token)).status;
    expect(await status(init, proxy_token)).toBe(401);
    expect(await status(init, other.work.offer.link_token)).toBe(401);
    expect(await status({ ...init, headers: {} }, link_token)).toBe(400);
    expect(await status({ ...init, headers: { [WORKSPACE_SHA256]: "0".repeat(64) } }, link_token)).toBeGreaterThan(399);
    const { readable } = new FixedLengthStream(WORKSPACE_LIMIT_BYTES + 1);
    expect(await status({ ...init, body: readable }, link_token)).toBe(413);
    await work.finish();
    expect(await status(init, link_token)).toBe(401);
    await other.work.finish();
  });

  it("is missed, where an agent has taken turns and none of it came", async () => {
    const { work } = await begin();
    const log = listen();
    await work.report(RUNNING);
    const seen = {
      turns: 3,
      tool_calls: 2,
      files_changed: 1,
      commits_pushed: 1,
      cost_usd: 0.25,
      conversation_entries: 0,
    };
    await work.finish({ ...FINISHED, seen });
    expect(log.troubles("conversation_not_kept")).toMatchObject([work.offer.lease]);
    vi.restoreAllMocks();
  });

  it("is forgotten with the routine, and only the newest workspace is kept", async () => {
    const { work, session } = await begin();
    await work.report(RUNNING, says(entry("one")), await sendWorkspace(work));
    await work.finish();
    const next = await goOn(session);
    await next.report(RUNNING, says(entry("two")), await sendWorkspace(next));
    await next.finish();
    const newest = `${session.id}/workspaces/${next.offer.lease.run_id}.1.tar`;
    await vi.waitUntil(async () => (await keysOf(session)).join() === newest);
    await call("DELETE", `/api/v1/routines/${session.routine.id}`);
    await vi.waitUntil(async () => (await keysOf(session)).length === 0);
    await vi.waitUntil(async () => (await rowsOf(session)) === 0);
  });

  it("is forgotten 90 days after the session's last run", async () => {
    vi.useFakeTimers({ toFake: ["Date"] });
    const { work, session } = await begin();
    await work.report(RUNNING, says(entry("one")), await sendWorkspace(work));
    await work.finish();
    const endedAtMs = Date.now();
    vi.setSystemTime(endedAtMs + KEPT_MS - 60_000);
    await runDurableObjectAlarm(ownerOf(session.routine.id));
    expect(await rowsOf(session)).toBe(1);
    vi.setSystemTime(endedAtMs + KEPT_MS + 60_000);
    await runDurableObjectAlarm(ownerOf(session.routine.id));
    expect(await rowsOf(session)).toBe(0);
    await vi.waitUntil(async () => (await keysOf(session)).length === 0);
    vi.useRealTimers();
  });
});

/** Of what is in the object, and not in R2. */
function looseBytesOf({ routine }: Session): Promise<number> {
  return runInDurableObject(ownerOf(routine.id), (_object, { storage }) => {
    const sql = "SELECT SUM(bytes) AS bytes FROM conversation_parts WHERE body IS NOT NULL";
    return storage.sql.exec<{ bytes: number | null }>(sql).one().bytes ?? 0;
  });
}

function rowsOf({ routine }: Session): Promise<number> {
  return runInDurableObject(ownerOf(routine.id), (_object, { storage }) => {
    return storage.sql.exec<{ count: number }>("SELECT COUNT(*) AS count FROM conversations").one().count;
  });
}
