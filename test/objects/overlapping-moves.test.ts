/** A call to R2 that its lane has given up goes on all the same: nothing else is done to the same keys meanwhile. */
import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, expect, it, vi } from "vitest";
import { Conversations } from "#durable-objects/routine/conversations/conversations.ts";
import { openDatabase } from "#durable-objects/routine/database.ts";
import { DefinitionStore } from "#durable-objects/routine/definition/definition-store.ts";
import { Outbox } from "#durable-objects/routine/outbox/outbox.ts";
import { ToConversations } from "#durable-objects/routine/receivers/to-conversations.ts";
import { ToTranscripts } from "#durable-objects/routine/receivers/to-transcripts.ts";
import { MovedTranscripts } from "#durable-objects/routine/transcript/moved-transcripts.ts";
import { Work } from "#durable-objects/routine/work.ts";
import { buildRoutine, call, fired, readTranscript } from "#test/support/api.ts";
import { agentSays, FakeRunner, RUNNING } from "#test/support/fake-runner.ts";
import { answerLate, fail, first, hang, loseAnswer, r2, type Trouble } from "#test/support/hang.ts";
import { evictOwnerOf, ownerOf } from "#test/support/objects.ts";
import { keysUnder, settle } from "#test/support/retention.ts";

afterEach(() => {
  vi.useRealTimers();
});

/** What receivers of a routine's object are made of. */
function partsIn(storage: DurableObjectStorage) {
  const opened = openDatabase(storage);
  if (!opened.ok) throw new Error(opened.refusal.message);
  const work = new Work(storage, opened.value);
  const outbox = new Outbox(storage.sql, work);
  return { bucket: env.BODIES, definitions: new DefinitionStore(opened.value, work), outbox, work };
}

/** A session whose run has ended. */
async function ended(): Promise<{ routine: { id: string }; id: string }> {
  const routine = await buildRoutine();
  using runner = await FakeRunner.join();
  const { claude_code_session_id: id } = await fired(routine);
  const work = await runner.work(await runner.accept());
  await work.report(RUNNING, agentSays("Moved while another call is made."));
  await work.finish();
  return { routine, id };
}

it("removes no part of a transcript that is being moved", async () => {
  const { routine, id } = await ended();
  const events = await readTranscript(id);

  await runInDurableObject(ownerOf(routine.id), async (_object, { storage }) => {
    const moved = new MovedTranscripts(storage.sql);
    const receiver = new ToTranscripts({ ...partsIn(storage), moved, runs: { hasUnsettledRun: () => false } });
    // What was written is read back, and the answer comes late: the part is there, and no row names it yet.
    using slow = answerLate(first(1, r2("get")));
    const moving = receiver.deliver("move_transcript", [id]);
    await slow.untilMet();
    await expect(receiver.deliver("tidy_transcript", [routine.id])).rejects.toThrow("has not ended");
    slow.end();
    expect(await moving).toEqual([]);
    expect(await receiver.deliver("tidy_transcript", [routine.id])).toEqual([]);
  });
  await evictOwnerOf(id);
  expect(await readTranscript(id)).toEqual(events);
});

it.each<[string, { meanwhile: () => Trouble; afterwards: () => Trouble }]>([
  ["is read back in vain", { meanwhile: () => hang(r2("put")), afterwards: () => fail(r2("get")) }],
  ["is never read back", { meanwhile: () => hang(r2("put")), afterwards: () => hang(r2("get")) }],
  ["has its answer lost", { meanwhile: () => hang(r2("put")), afterwards: () => loseAnswer(r2("put")) }],
])("leaves no part of a session that was deleted before the part was written, which %s", async (_how, troubles) => {
  const { routine, id } = await ended();
  await runInDurableObject(ownerOf(routine.id), async (_object, { storage }) => {
    const parts = partsIn(storage);
    const moved = new MovedTranscripts(storage.sql);
    const receiver = new ToTranscripts({ ...parts, moved, runs: { hasUnsettledRun: () => false } });
    using _failing = troubles.afterwards();
    using slow = troubles.meanwhile();
    void receiver.deliver("move_transcript", [id]).catch(() => undefined);
    await slow.untilMet();
    // The object's own calls do not wait for this one, as for one that is ten minutes late.
    expect((await call("DELETE", `/api/v1/sessions/${id}`)).status).toBe(204);
    await vi.waitFor(() => expect(parts.outbox.isEmpty()).toBe(true), 5_000);
    slow.end();
    await vi.waitFor(() => expect(parts.outbox.has("tidy_transcript", id)).toBe(true));
    expect(await keysUnder(`transcripts/${routine.id}/${id}/`)).toHaveLength(1);
  });
  await evictOwnerOf(id);
  await settle(routine.id);
  expect(await keysUnder(`transcripts/${routine.id}/`)).toEqual([]);
});

it("removes no part of a conversation that is being moved", async () => {
  const routine = await buildRoutine();
  const { claude_code_session_id: id, run_id } = await fired(routine);
  await runInDurableObject(ownerOf(routine.id), async (_object, { storage }) => {
    const { sql } = storage;
    const bytes = 10_000_000;
    sql.exec(
      `INSERT INTO conversations (session_id, sdk_version, run_id, attempt, last_n, kept_n, loose_bytes, expires_at)
        VALUES (?, '1', ?, 1, 1, 1, ?, ?)`,
      ...[id, run_id, bytes, Date.now() + 3_600_000],
    );
    sql.exec("INSERT INTO conversation_parts (session_id, n, file, bytes, body) VALUES (?, 1, '', ?, '{}')", id, bytes);
    const parts = partsIn(storage);
    const conversations = new Conversations(sql, parts.work, parts.outbox, 3_600_000);
    const receiver = new ToConversations({
      ...parts,
      conversations,
      runs: { queue: { unsettled: () => [] }, get: () => null },
    });
    using slow = answerLate(first(1, r2("put")));
    const moving = receiver.deliver("move_conversation", [id]);
    await slow.untilMet();
    await expect(receiver.deliver("tidy_conversation", [id])).rejects.toThrow("has not ended");
    slow.end();
    expect(await moving).toEqual([]);
    expect(await receiver.deliver("tidy_conversation", [id])).toEqual([]);
    const [key] = conversations.keys(id);
    expect(await env.BODIES.head(key ?? "")).not.toBeNull();
  });
});
