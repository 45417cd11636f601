/** What people do with a session as a whole: name it, archive it, take it with them, delete it. */
import { runInDurableObject } from "cloudflare:test";
import { env, exports } from "cloudflare:workers";
import { expect, it, vi } from "vitest";
import { ARTIFACT_NAME_HEADER } from "#protocol/artifact.ts";
import { WORKSPACE_SHA256, workspacePath } from "#protocol/conversation.ts";
import type { Run } from "#protocol/run.ts";
import { runnerCallPath } from "#protocol/runner-calls.ts";
import type { FrameBody } from "#protocol/runner-link.ts";
import { exportLineSchema, type Session } from "#protocol/session.ts";
import { CLOSE_CODES } from "#protocol/viewer.ts";
import { buildRoutine, call, fired, OWNER_TOKEN, readRun, readTranscript, watch } from "#test/support/api.ts";
import { agentSays, FakeRunner, type FakeWork, RUNNING, SUCCEEDED } from "#test/support/fake-runner.ts";
import { evictOwnerOf, ownerOf } from "#test/support/objects.ts";

/** Stands in all that a session is given, says and keeps. */
const WORD = "words-of-one-session";

type Refused = { error: { details: { code: string } } };
type SessionPage = { data: Session[]; next_cursor: string | null };

function reports(summary: string): FrameBody {
  return { ...SUCCEEDED, report: { result: "done", summary } } as FrameBody;
}

function put(work: FakeWork, path: string, body: BodyInit, headers: Record<string, string>): Promise<Response> {
  const authorization = `Bearer ${work.offer.link_token}`;
  return exports.default.fetch(
    new Request(`http://reveille.test${path}`, { method: "PUT", body, headers: { authorization, ...headers } }),
  );
}

/** A run that has said and kept something of every kind, and has not ended. */
async function keepEverything(work: FakeWork): Promise<void> {
  const { run_id: runId } = work.offer.lease;
  const said = `${JSON.stringify({ type: "user", text: WORD })}\n`;
  const bytes = new TextEncoder().encode(WORD);
  const sha256 = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
  const piece: FrameBody = { kind: "conversation", sdk_version: "0.3.330", file: null, text: said.repeat(2_000) };
  // More than stays in the object.
  await work.report(RUNNING, agentSays(WORD), ...Array<FrameBody>(8).fill(piece));
  const question = { id: "toolu_1", kind: "question", text: WORD, choices: [], default: null, call: null } as const;
  await work.report({
    kind: "waiting",
    for: "question",
    question: { ...question, choices: [], input_hash: "a".repeat(64) },
  });
  const answer = { question_id: question.id, text: WORD };
  expect((await call("POST", `/api/v1/runs/${runId}/answer`, answer)).status).toBe(200);
  await work.report({
    kind: "event",
    event: { type: "tool.result", tool_call_id: question.id, is_error: false, text: WORD },
  });
  const named = { "content-type": "text/plain", [ARTIFACT_NAME_HEADER]: `${WORD}.txt` };
  expect((await put(work, runnerCallPath(runId, `artifacts/art_${"0a".repeat(12)}`), WORD, named)).status).toBe(200);
  const diff = JSON.stringify({ repositories: [{ repository: `https://x.test/${WORD}`, changes: [] }] });
  const json = { "content-type": "application/json" };
  expect((await put(work, runnerCallPath(runId, "diff"), diff, json)).status).toBe(200);
  expect((await put(work, workspacePath(runId), bytes, { [WORKSPACE_SHA256]: sha256 })).status).toBe(204);
  await work.report({
    kind: "workspace",
    archive: { bytes: bytes.length, sha256 },
    left_out: [],
    left_out_count: 0,
  });
}

/** All rows of the object that have the text, as `table`. */
function tablesWith(routineId: string, text: string): Promise<string[]> {
  return runInDurableObject(ownerOf(routineId), (_object, { storage }) => {
    const names = storage.sql.exec<{ name: string }>(
      "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '\\_cf%' ESCAPE '\\'",
    );
    return [...names].flatMap(({ name }) =>
      JSON.stringify(storage.sql.exec(`SELECT * FROM "${name}"`).toArray()).includes(text) ? [name] : [],
    );
  });
}

async function keysOf(routineId: string, sessionId: string): Promise<string[]> {
  const places = ["conversations", "artifacts"].map((place) => `${place}/${routineId}/${sessionId}/`);
  const lists = await Promise.all(places.map((prefix) => env.BODIES.list({ prefix })));
  return lists.flatMap(({ objects }) => objects.map(({ key }) => key));
}

it("is deleted with all that was said in it, and its runs stay", async () => {
  const routine = await buildRoutine();
  using runner = await FakeRunner.join();
  const { run_id: runId, claude_code_session_id: id } = await fired(routine, { text: WORD });
  const work = await runner.work(await runner.accept());
  await keepEverything(work);
  const other = await fired(routine, { text: "Another one." });
  const otherWork = await runner.work(await runner.accept());
  await otherWork.report(RUNNING, agentSays("Still here."));
  const path = `/api/v1/sessions/${id}`;
  const viewer = await watch(id);
  const refused = await call<Refused>("DELETE", path);
  expect([refused.status, refused.body.error.details.code]).toEqual([409, "session_active"]);
  await work.finish(reports(`${WORD}: all done`));
  await vi.waitFor(async () => expect(await keysOf(routine.id, id)).toHaveLength(3));
  expect(await tablesWith(routine.id, WORD)).toEqual(
    expect.arrayContaining(["artifacts", "questions", "runs", "session_diffs", "sessions", "transcript"]),
  );
  const spent = (await readRun(runId)).usage;

  expect((await call("DELETE", path)).status).toBe(204);
  await viewer.until(() => viewer.closed !== null);
  expect(viewer.closed?.code).toBe(CLOSE_CODES.noSuchSession);
  await vi.waitFor(async () => expect(await keysOf(routine.id, id)).toEqual([]));
  for (const _time of ["at once", "after an eviction"]) {
    expect(await tablesWith(routine.id, WORD)).toEqual([]);
    for (const rest of ["", "/events", "/diff", "/artifacts", "/export"]) {
      expect((await call("GET", `${path}${rest}`)).status, rest).toBe(404);
    }
    expect((await call("PATCH", path, { title: "Back" })).status).toBe(404);
    expect((await call("DELETE", path)).status).toBe(404);
    expect(await readRun(runId)).toMatchObject({
      status: "succeeded",
      result: "done",
      summary: null,
      session_deleted: true,
      usage: spent,
    });
    await evictOwnerOf(routine.id);
  }
  const sessions = await call<SessionPage>("GET", `/api/v1/routines/${routine.id}/sessions`);
  expect(sessions.body.data.map((session) => session.id)).toEqual([other.claude_code_session_id]);
  const retried = await call<Refused>("POST", `/api/v1/runs/${runId}/retry`);
  expect([retried.status, retried.body.error.details.code]).toEqual([422, "session_deleted"]);
  await vi.waitFor(async () => {
    const { body } = await call<{ data: Run[] }>("GET", `/api/v1/runs?routine=${routine.id}`);
    expect(body.data.find((run) => run.id === runId)).toMatchObject({ summary: null, session_deleted: true });
  });
  expect(JSON.stringify(await readTranscript(other.claude_code_session_id))).toContain("Still here.");
});

it("has the title of its first report or of a person, and is archived out of the list", async () => {
  const routine = await buildRoutine({ name: "Named by its routine" });
  using runner = await FakeRunner.join();
  const first = await fired(routine);
  const path = `/api/v1/sessions/${first.claude_code_session_id}`;
  const title = async () => (await call<Session>("GET", path)).body.title;
  expect(await title()).toBe("Named by its routine");
  await (await runner.work(await runner.accept())).report(RUNNING, reports("## Fixed the *login* test\n\nIt waited."));
  expect(await title()).toBe("Fixed the login test");

  const second = await fired(routine);
  const secondPath = `/api/v1/sessions/${second.claude_code_session_id}`;
  const patched = await call<Session>("PATCH", secondPath, { title: "  Mine  " });
  expect(patched).toMatchObject({ status: 200, body: { title: "Mine", archived: false } });
  await (await runner.work(await runner.accept())).report(RUNNING, reports("The agent's"));
  expect((await call<Session>("GET", secondPath)).body.title).toBe("Mine");
  for (const bad of [
    { title: " " },
    { title: "x".repeat(201) },
    { title: "a\nb" },
    { title: "a\u2028b" },
    { title: "\u202egpj.exe" },
    { title: "\u200b\u2060" },
    { archived: "yes" },
    { tilte: "x" },
  ]) {
    expect((await call("PATCH", secondPath, bad)).status, JSON.stringify(bad)).toBe(400);
  }

  const listed = async (query: string) =>
    (await call<SessionPage>("GET", `/api/v1/routines/${routine.id}/sessions${query}`)).body.data.map(({ id }) => id);
  const [newer, older] = [second.claude_code_session_id, first.claude_code_session_id];
  expect(await listed("")).toEqual([newer, older]);
  for (const _again of [1, 2]) {
    expect((await call<Session>("PATCH", path, { archived: true })).body).toMatchObject({
      archived: true,
      title: "Fixed the login test",
    });
  }
  expect([await listed(""), await listed("?archived=true"), await listed("?archived=all")]).toEqual([
    [newer],
    [older],
    [newer, older],
  ]);
  expect((await call("GET", `/api/v1/routines/${routine.id}/sessions?archived=1`)).status).toBe(400);
  await call("PATCH", path, { archived: false });
  expect(await listed("?archived=false")).toEqual([newer, older]);
  await call("PATCH", secondPath, { archived: true });
  expect((await call("POST", `${secondPath}/messages`, { text: "Go on." })).status).toBe(200);
  expect(await listed("?archived=true")).toEqual([]);
});

it("is exported whole, page by page, up to where it stood", async () => {
  const routine = await buildRoutine();
  using runner = await FakeRunner.join();
  const { run_id: runId, claude_code_session_id: id } = await fired(routine);
  const work = await runner.work(await runner.accept());
  await work.report(RUNNING, ...Array.from({ length: 1_200 }, (_, index) => agentSays(`${index} é\u2028\n`)));
  const before = await readTranscript(id);
  const session = (await call<Session>("GET", `/api/v1/sessions/${id}`)).body;
  const answer = await exports.default.fetch(
    new Request(`http://reveille.test/api/v1/sessions/${id}/export`, {
      headers: { authorization: `Bearer ${OWNER_TOKEN}` },
    }),
  );
  // What is said while it is read is not part of it.
  await work.report(agentSays("too late"));
  expect(answer.headers.get("content-type")).toBe("application/jsonl");
  expect(answer.headers.get("content-disposition")).toBe(`attachment; filename="${id}.jsonl"`);
  const lines = new TextDecoder().decode(await answer.arrayBuffer()).split("\n");
  expect(lines.pop()).toBe("");
  const [first, run, ...events] = lines.map((line) => exportLineSchema.parse(JSON.parse(line)));
  expect(first).toEqual({ type: "session", session });
  expect(run).toMatchObject({ type: "run", run: { id: runId, status: "running" } });
  expect(before.length).toBeGreaterThan(1_200);
  expect(events).toEqual(before);
  await work.finish();

  const broken = await exports.default.fetch(
    new Request(`http://reveille.test/api/v1/sessions/${id}/export`, {
      headers: { authorization: `Bearer ${OWNER_TOKEN}` },
    }),
  );
  expect((await call("DELETE", `/api/v1/sessions/${id}`)).status).toBe(204);
  await expect(broken.arrayBuffer()).rejects.toThrow();
});
