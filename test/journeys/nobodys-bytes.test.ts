/** What lies in R2 and is nobody's any more goes, whatever it was that came in between. */
import { runDurableObjectAlarm } from "cloudflare:test";
import { env, exports } from "cloudflare:workers";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { removeUnnamed } from "#durable-objects/routine/receivers/remove-unnamed.ts";
import { ARTIFACT_NAME_HEADER } from "#protocol/artifact.ts";
import { WORKSPACE_SHA256, workspacePath } from "#protocol/conversation.ts";
import { runnerCallPath } from "#protocol/runner-calls.ts";
import { buildRoutine, call, fired } from "#test/support/api.ts";
import { FakeRunner, type FakeWork, RUNNING } from "#test/support/fake-runner.ts";
import { first, hang, r2 } from "#test/support/hang.ts";
import { ownerOf } from "#test/support/objects.ts";
import { keysUnder, settle } from "#test/support/retention.ts";

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() });
});

afterEach(() => {
  vi.useRealTimers();
});

type Sent = "file" | "workspace";

async function send(work: FakeWork, what: Sent): Promise<number> {
  const { lease, link_token } = work.offer;
  const body = new TextEncoder().encode("bytes");
  const sha256 = new Uint8Array(await crypto.subtle.digest("SHA-256", body)).toHex();
  const [path, headers] =
    what === "file"
      ? [runnerCallPath(lease.run_id, `artifacts/art_${"0a".repeat(12)}`), { [ARTIFACT_NAME_HEADER]: "a.txt" }]
      : [workspacePath(lease.run_id), { [WORKSPACE_SHA256]: sha256 }];
  const authorization = `Bearer ${link_token}`;
  const request = new Request(`http://reveille.test${path}`, {
    method: "PUT",
    headers: { authorization, "content-type": "text/plain", ...headers },
    body,
  });
  const { status } = await exports.default.fetch(request);
  return status;
}

async function working() {
  const routine = await buildRoutine();
  const runner = await FakeRunner.join({ id: crypto.randomUUID() });
  const { claude_code_session_id: sessionId } = await fired(routine);
  const work = await runner.work(await runner.accept());
  await work.report(RUNNING);
  return { routine, sessionId, work, [Symbol.dispose]: () => runner[Symbol.dispose]() };
}

const kept = async (routineId: string) => [
  ...(await keysUnder(`conversations/${routineId}/`)),
  ...(await keysUnder(`artifacts/${routineId}/`)),
];

it("removes what no row names also where a thousand others stand before it", async () => {
  const prefix = `conversations/${crypto.randomUUID()}/`;
  const keys = Array.from({ length: 1_002 }, (_, n) => `${prefix}${n.toString().padStart(4, "0")}`);
  for (let from = 0; from < keys.length; from += 100) {
    await Promise.all(keys.slice(from, from + 100).map((key) => env.BODIES.put(key, "x")));
  }
  const named = new Set(keys.slice(0, 1_001));
  while (!(await removeUnnamed(env.BODIES, prefix, () => named)));
  expect(await env.BODIES.head(keys[1_001] ?? "")).toBeNull();
  expect(await env.BODIES.head(keys[1_000] ?? "")).not.toBeNull();
});

it("removes the workspace of a deleted routine whose agents have said nothing", async () => {
  using on = await working();
  expect(await send(on.work, "workspace")).toBe(204);
  await on.work.finish();
  await settle(on.routine.id);
  expect(await kept(on.routine.id)).toHaveLength(1);
  expect((await call("DELETE", `/api/v1/routines/${on.routine.id}`)).status).toBe(204);
  await vi.waitFor(async () => {
    vi.setSystemTime(Date.now() + 2_000);
    await runDurableObjectAlarm(ownerOf(on.routine.id));
    expect(await kept(on.routine.id)).toEqual([]);
  });
});

it.each<[Sent, string]>([
  ["file", "session"],
  ["file", "routine"],
  ["workspace", "session"],
  ["workspace", "routine"],
])("removes a %s that came to rest after its %s was deleted", async (what, deleted) => {
  using on = await working();
  const slow = hang(first(1, r2("put")));
  const sending = send(on.work, what);
  await slow.untilMet();
  await on.work.finish();
  await settle(on.routine.id);
  const path = deleted === "session" ? `sessions/${on.sessionId}` : `routines/${on.routine.id}`;
  expect((await call("DELETE", `/api/v1/${path}`)).status).toBe(204);
  await settle(on.routine.id);
  await runDurableObjectAlarm(ownerOf(on.routine.id));
  slow.end();
  await sending;
  expect(await kept(on.routine.id)).toEqual([]);
});

it.each<Sent>(["file", "workspace"])("keeps a %s that came to rest in time", async (what) => {
  using on = await working();
  expect(await send(on.work, what)).toBeLessThan(300);
  expect(await kept(on.routine.id)).toHaveLength(1);
  await on.work.finish();
});
