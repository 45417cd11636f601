/** All that a routine has, and what names a person's sign-in, as lines that anybody can read. */
import { runInDurableObject } from "cloudflare:test";
import { exports } from "cloudflare:workers";
import { expect, it } from "vitest";
import type { Page } from "#protocol/api.ts";
import { type ExportedLine, exportedLineSchema } from "#protocol/export.ts";
import { ownerKeyOf } from "#protocol/ids.ts";
import type { SignIn } from "#protocol/sign-in.ts";
import { buildRoutine, call, fired, OWNER_TOKEN, readRun, readTranscript } from "#test/support/api.ts";
import { signIn } from "#test/support/browser.ts";
import { agentSays, FakeRunner, RUNNING } from "#test/support/fake-runner.ts";
import { fail, method, routine as objects } from "#test/support/hang.ts";
import { asking, evictOwnerOf, ownerOf } from "#test/support/objects.ts";
import { RoutineObject } from "#worker/index.ts";
import { type ExportDeps, oneRoutineLines } from "#worker/routes/export-lines.ts";

type Lines = ExportedLine[];

/** One answer: its lines, and how many came at once at most. */
async function answer(path: string): Promise<{ lines: Lines; together: number }> {
  const headers = { authorization: `Bearer ${OWNER_TOKEN}` };
  const response = await exports.default.fetch(new Request(`http://reveille.test${path}`, { headers }));
  expect([response.status, response.headers.get("content-type")]).toEqual([200, "application/jsonl"]);
  const decoder = new TextDecoder();
  let text = "";
  let together = 0;
  for await (const bytes of response.body ?? []) {
    const part = decoder.decode(bytes as Uint8Array, { stream: true });
    together = Math.max(together, part.split("\n").length - 1);
    text += part;
  }
  const lines = text
    .trimEnd()
    .split("\n")
    .map((line): ExportedLine => exportedLineSchema.parse(JSON.parse(line)));
  return { lines, together };
}

/** All answers, each from where the one before ended. */
async function whole(path: string): Promise<{ lines: Lines; answers: number }> {
  const lines: Lines = [];
  for (let answers = 1, cursor = ""; ; answers += 1) {
    const got = (await answer(`${path}${cursor === "" ? "" : `${path.includes("?") ? "&" : "?"}cursor=${cursor}`}`))
      .lines;
    const last = got.pop();
    if (last?.type !== "end") throw new Error("it has broken off");
    lines.push(...got);
    if (last.next_cursor === null) return { lines, answers };
    cursor = last.next_cursor;
  }
}

/** Somebody in a browser of their own. */
async function person(): Promise<{ headers: Record<string, string>; id: string }> {
  const headers = { authorization: "", ...(await signIn()) };
  const { body } = await call<Page<SignIn>>("GET", "/api/v1/sign-ins", undefined, headers);
  return { headers, id: body.data.find(({ current }) => current)?.id ?? "" };
}

const typesOf = (lines: Lines) => [...new Set(lines.map(({ type }) => type))];

it("has all of a routine, each once, and then an end", async () => {
  const routine = await buildRoutine();
  const path = `/api/v1/routines/${routine.id}`;
  using runner = await FakeRunner.join();
  const { run_id: runId, claude_code_session_id: sessionId } = await fired(routine, { text: "Read this." });
  const work = await runner.work(await runner.accept());
  await work.report(RUNNING, agentSays("Said."));
  await work.finish();
  await call("PUT", `${path}/notes/plan`, { text: "First." });
  await call("PUT", `${path}/notes/plan`, { text: "Second." });
  await call("PATCH", path, { prompt: "Another." });
  await call("PATCH", `/api/v1/sessions/${sessionId}`, { archived: true });
  const { lines, answers } = await whole(`${path}/export`);
  expect(answers).toBe(1);
  expect(lines[0]).toMatchObject({ type: "routine", routine: { id: routine.id, prompt: "Another." } });
  const count = (type: string) => lines.filter((line) => line.type === type).length;
  expect(["revision", "note", "occurrence", "run", "session"].map(count)).toEqual([2, 2, 1, 1, 1]);
  expect(lines.filter(({ type }) => type === "run")).toMatchObject([{ run: { id: runId } }]);
  const events = await readTranscript(sessionId);
  expect(lines.slice(-events.length)).toEqual(events);
  expect(JSON.stringify(lines)).not.toContain(routine.token);

  expect((await call("GET", `${path}/export?cursor=nothing`)).status).toBe(400);
  expect((await call("GET", `${path}/export`, undefined, { authorization: `Bearer ${routine.token}` })).status).toBe(
    401,
  );
  await call("DELETE", path);
  expect((await call("GET", `${path}/export`)).status).toBe(404);
});

it("goes past a routine that is deleted while its run goes on, and a session that is deleted while it is read", async () => {
  const [deleted, kept] = [await buildRoutine(), await buildRoutine()];
  using runner = await FakeRunner.join();
  for (const routine of [deleted, kept]) await fired(routine);
  const works = [await runner.work(await runner.accept()), await runner.work(await runner.accept())];
  for (const work of works) await work.report(RUNNING);
  const from = `/api/v1/export?cursor=${deleted.id}.runs.`;
  expect((await call("DELETE", `/api/v1/routines/${deleted.id}`)).status).toBe(204);
  for (const path of ["/api/v1/export", from]) {
    const ids = (await whole(path)).lines.flatMap((line) => (line.type === "routine" ? [line.routine.id] : []));
    expect([ids.includes(deleted.id), ids.includes(kept.id)], path).toEqual([false, true]);
  }

  const routine = await buildRoutine();
  const lost = await fired(routine);
  await (await runner.work(await runner.accept())).finish();
  expect((await readRun(lost.run_id)).status).toBe("succeeded");
  const deps = { ownerOf: asking } as unknown as ExportDeps;
  const lines: Lines = [];
  for await (const some of oneRoutineLines(deps, { routineId: routine.id, stage: "sessions", after: "" })) {
    lines.push(...some);
    if (some.some(({ type }) => type === "session")) {
      expect((await call("DELETE", `/api/v1/sessions/${lost.claude_code_session_id}`)).status).toBe(204);
    }
  }
  expect(typesOf(lines)).toEqual(["session", "end"]);
});

it("names a routine that can't be opened, and a session that can't be read, and goes on with the others", async () => {
  const [closed, halved, kept] = [await buildRoutine(), await buildRoutine(), await buildRoutine()];
  using runner = await FakeRunner.join();
  const { claude_code_session_id: sessionId } = await fired(halved);
  await (await runner.work(await runner.accept())).finish();
  const { claude_code_session_id: nextId } = await fired(halved);
  await (await runner.work(await runner.accept())).finish();
  using _closed = fail(objects("read", closed.id));
  using _halved = fail(method(RoutineObject.prototype, "readDiff", (_object, [id]) => id === sessionId));
  const { lines } = await whole("/api/v1/export");
  const ids = lines.flatMap((line) => (line.type === "routine" ? [line.routine.id] : []));
  expect([closed, halved, kept].map(({ id }) => ids.includes(id))).toEqual([false, true, true]);
  const why = expect.stringMatching(/^[A-Z].*\.$/);
  const unread = lines.filter(({ type }) => type === "unread");
  expect(unread).toHaveLength(2);
  expect(unread).toContainEqual({ type: "unread", routine_id: closed.id, session_id: null, why });
  expect(unread).toContainEqual({ type: "unread", routine_id: halved.id, session_id: sessionId, why });
  // The session after it is whole.
  const ended = lines.flatMap((line) => ("seq" in line && line.type === "run.finished" ? [line.session_id] : []));
  expect([sessionId, nextId].map((id) => ended.includes(id))).toEqual([false, true]);
  // Whoever asks for what names a person hears of what was not looked at.
  const mine = await person();
  expect(typesOf((await whole(`/api/v1/export?sign_in=${mine.id}`)).lines)).toContain("unread");
});

it("gives 20,000 events a page at a time, and goes on in another answer after many sessions", async () => {
  const routine = await buildRoutine();
  using runner = await FakeRunner.join();
  const { claude_code_session_id: sessionId, run_id: runId } = await fired(routine);
  const work = await runner.work(await runner.accept());
  await work.report(RUNNING);
  await work.finish();
  const before = (await readTranscript(sessionId)).length;
  await runInDurableObject(ownerOf(routine.id), (_object, { storage }) => {
    const at = new Date().toISOString();
    const line = (session: string, seq: number) =>
      JSON.stringify({
        seq,
        at,
        session_id: session,
        run_id: runId,
        type: "agent.message",
        message_id: "m",
        text: "x".repeat(400),
      });
    storage.transactionSync(() => {
      const add = (session: string, seq: number, bytes: number) =>
        storage.sql.exec(
          `INSERT INTO transcript (session_id, last_seq, first_seq, end_bytes, run_id, attempt, frame, tool_calls, body)
            VALUES (?, ?, ?, ?, ?, 1, 0, 0, ?)`,
          ...[session, seq, seq, bytes, runId, line(session, seq)],
        );
      for (let seq = before + 1; seq <= 20_000; seq += 1) add(sessionId, seq, seq * 600);
      for (let n = 1; n <= 150; n += 1) {
        const id = `session_${sessionId.slice(8, 17)}${ownerKeyOf(sessionId)}${n.toString().padStart(5, "0")}`;
        storage.sql.exec("INSERT INTO sessions (id, title, created_at) VALUES (?, 'seeded', ?)", id, Date.now());
        add(id, 1, 600);
      }
    });
  });
  // What it had in memory of the end of the transcript is another.
  await evictOwnerOf(sessionId);
  const path = `/api/v1/routines/${routine.id}/export`;
  const first = await answer(path);
  expect(first.together).toBeLessThanOrEqual(1_000);
  expect(first.lines.at(-1)).toMatchObject({ type: "end", next_cursor: expect.stringMatching(/\.sessions\.session_/) });
  const { lines, answers } = await whole(path);
  expect(answers).toBe(2);
  const sessions = lines.flatMap((line) => (line.type === "session" ? [line.session.id] : []));
  expect([sessions.length, new Set(sessions).size]).toEqual([151, 151]);
  const seqs = lines.flatMap((line) => ("seq" in line && line.session_id === sessionId ? [line.seq] : []));
  expect(seqs).toEqual(Array.from({ length: 20_000 }, (_event, index) => index + 1));
}, 240_000);

it("finds in all routines what names one sign-in, and nothing else", async () => {
  const mine = await person();
  const other = await person();
  const routine = await buildRoutine();
  const path = `/api/v1/routines/${routine.id}`;
  await call("PATCH", path, { prompt: "Mine." }, mine.headers);
  await call("PATCH", path, { prompt: "Another's." }, other.headers);
  await call("PUT", `${path}/notes/mine`, { text: "Written by me." }, mine.headers);
  await call("PUT", `${path}/notes/other`, { text: "Written by another." }, other.headers);
  const { claude_code_session_id: sessionId } = await fired(routine);
  const said = { text: "What I have said." };
  expect((await call("POST", `/api/v1/sessions/${sessionId}/messages`, said, mine.headers)).status).toBe(200);
  const { lines } = await whole(`/api/v1/export?sign_in=${mine.id}`);
  expect(typesOf(lines)).toEqual(expect.arrayContaining(["sign_in", "revision", "note"]));
  expect(lines.filter((line) => line.type === "revision")).toMatchObject([
    { revision: { definition: { prompt: "Mine." } } },
  ]);
  expect(lines.filter((line) => line.type === "note")).toMatchObject([{ note: { text: "Written by me." } }]);
  expect(JSON.stringify(lines)).not.toContain(other.id);
  const all = await whole("/api/v1/export");
  expect(all.lines.filter((line) => line.type === "routine").map(({ routine: { id } }) => id)).toContain(routine.id);
});
