/** What people see of a run's work beside its transcript: what has changed, and files that it shows. */
import { runDurableObjectAlarm } from "cloudflare:test";
import { env, exports } from "cloudflare:workers";
import { describe, expect, it, vi } from "vitest";
import { ARTIFACT_NAME_HEADER, type ArtifactList } from "#protocol/artifact.ts";
import type { Diff, SentDiff } from "#protocol/diff.ts";
import { runnerCallPath } from "#protocol/runner-calls.ts";
import { buildRoutine, call, fired, OWNER_TOKEN, readRun, readTranscript } from "#test/support/api.ts";
import { FakeRunner, type FakeWork, RUNNING } from "#test/support/fake-runner.ts";
import { ownerOf } from "#test/support/objects.ts";

const OWNER = { authorization: `Bearer ${OWNER_TOKEN}` };

/** As the runner of an attempt asks its instance beside the link. */
function ask(
  work: FakeWork,
  method: string,
  rest: string,
  body: BodyInit | null,
  type = "application/json",
  more = {},
) {
  const { lease, link_token } = work.offer;
  return exports.default.fetch(
    new Request(`http://reveille.test${runnerCallPath(lease.run_id, rest)}`, {
      method,
      headers: { authorization: `Bearer ${link_token}`, "content-type": type, ...more },
      body,
    }),
  );
}

const CHANGE = {
  kind: "branch",
  branch: "claude/a",
  base: "a".repeat(40),
  head: "b".repeat(40),
  files_changed: 1,
  additions: 1,
  deletions: 0,
  files: [{ path: "a", additions: 1, deletions: 0 }],
  patch: "+one\n",
  truncated: false,
} as const;

describe("what has changed", () => {
  it("is what the runner of the session's latest run told, while its attempt was on", async () => {
    const routine = await buildRoutine();
    using runner = await FakeRunner.join();
    const { run_id, claude_code_session_id: sessionId } = await fired(routine);
    const work = await runner.work(await runner.accept());
    expect(work.order).toMatchObject({ takes: expect.arrayContaining(["diff"]) });
    await work.report(RUNNING);
    const read = () => call<Diff>("GET", `/api/v1/sessions/${sessionId}/diff`);
    expect((await read()).body).toEqual({ session_id: sessionId, run_id: null, at: null, repositories: [] });
    const sent: SentDiff = {
      repositories: [{ repository: "https://github.com/acme/app", changes: [{ ...CHANGE, files: [...CHANGE.files] }] }],
    };
    expect((await ask(work, "PUT", "diff", JSON.stringify(sent))).status).toBe(200);
    expect((await ask(work, "PUT", "diff", JSON.stringify(sent))).status).toBe(200);
    expect((await ask(work, "PUT", "diff", '{"repositories":[{}]}')).status).toBe(400);
    expect((await ask(work, "PUT", "diff", `"${"x".repeat(1_500_000)}"`)).status).toBe(413);
    expect((await read()).body).toMatchObject({ run_id, at: expect.any(String), ...sent });
    await work.finish();
    expect((await ask(work, "PUT", "diff", JSON.stringify({ repositories: [] }))).status).toBe(401);
    expect((await read()).body).toMatchObject(sent);
  });
});

describe("a file that a run shows", () => {
  const ID = `art_${"0a".repeat(12)}`;
  const PNG = new Uint8Array([137, 80, 78, 71, 13, 10, 26, 10, 0]);
  const show = (work: FakeWork, id: string, body: BodyInit, type: string, name: string) =>
    ask(work, "PUT", `artifacts/${id}`, body, type, { [ARTIFACT_NAME_HEADER]: encodeURIComponent(name) });

  it("is in the transcript once, is given out harmlessly, and ends after 30 days", async () => {
    const routine = await buildRoutine();
    using runner = await FakeRunner.join();
    const { run_id: runId, claude_code_session_id: sessionId } = await fired(routine);
    const work = await runner.work(await runner.accept());
    expect(work.order).toMatchObject({ takes: expect.arrayContaining(["artifacts"]) });
    await work.report(RUNNING);
    for (const _again of [1, 2]) expect((await show(work, ID, PNG, "image/png", "é 'one'.png")).status).toBe(200);
    const page = `art_${"0b".repeat(12)}`;
    expect((await show(work, page, "<script>1</script>", "image/svg+xml", "x.svg")).status).toBe(200);
    expect((await show(work, `art_${"0c".repeat(12)}`, PNG, "not a type", "x")).status).toBe(400);
    const large = new Uint8Array(10 * 1_024 ** 2 + 1);
    expect((await show(work, `art_${"0d".repeat(12)}`, large, "text/plain", "x")).status).toBe(413);
    await work.finish({
      kind: "finished",
      outcome: { status: "succeeded" },
      report: { result: "done", summary: "Shown." },
      seen: { turns: 1, tool_calls: 1, files_changed: 0, commits_pushed: 0, cost_usd: 0 },
    });

    const run = await readRun(runId);
    expect(run.evidence.files_shown).toBe(2);
    expect(run).not.toHaveProperty("evidence_missing");
    const events = await readTranscript(sessionId);
    expect(events.filter(({ type }) => type === "artifact")).toMatchObject([
      { artifact_id: ID, name: "é 'one'.png", media_type: "image/png", bytes: 9 },
      { artifact_id: page, name: "x.svg" },
    ]);
    const path = `/api/v1/sessions/${sessionId}/artifacts`;
    const { body: list } = await call<ArtifactList>("GET", path);
    expect(list.data.map(({ id }) => id)).toEqual([ID, page]);
    const read = (id: string) =>
      exports.default.fetch(new Request(`http://reveille.test${path}/${id}`, { headers: OWNER }));
    const image = await read(ID);
    expect(new Uint8Array(await image.arrayBuffer())).toEqual(PNG);
    const headers = (of: Response) =>
      ["content-type", "content-disposition", "x-content-type-options"].map((name) => of.headers.get(name));
    expect(headers(image)).toEqual(["image/png", "inline; filename*=UTF-8''%C3%A9%20%27one%27.png", "nosniff"]);
    const saved = await read(page);
    expect(headers(saved)).toEqual(["application/octet-stream", "attachment; filename*=UTF-8''x.svg", "nosniff"]);
    expect(saved.headers.get("content-security-policy")).toMatch(/^sandbox; default-src 'none';/);
    expect(await saved.text()).toBe("<script>1</script>");
    expect((await exports.default.fetch(new Request(`http://reveille.test${path}/${ID}`))).status).toBe(401);
    expect((await read(`art_${"0f".repeat(12)}`)).status).toBe(404);

    const kept = () => env.BODIES.list({ prefix: `artifacts/${routine.id}/` });
    expect((await kept()).objects).toHaveLength(2);
    vi.setSystemTime(Date.now() + 30 * 24 * 3_600_000 + 1_000);
    expect((await read(ID)).status).toBe(404);
    await runDurableObjectAlarm(ownerOf(runId));
    await vi.waitFor(async () => expect((await kept()).objects).toEqual([]));
    vi.useRealTimers();
  });

  it("is one of fifty, and ends with its routine", async () => {
    const routine = await buildRoutine();
    using runner = await FakeRunner.join();
    const { run_id: runId } = await fired(routine);
    const work = await runner.work(await runner.accept());
    await work.report(RUNNING);
    const idOf = (n: number) => `art_${n.toString(16).padStart(24, "0")}`;
    for (let n = 1; n <= 50; n += 1) expect((await show(work, idOf(n), "x", "text/plain", "x")).status).toBe(200);
    expect((await show(work, idOf(51), "x", "text/plain", "x")).status).toBe(422);
    expect((await show(work, idOf(50), "x", "text/plain", "x")).status).toBe(200);
    await work.finish();
    expect((await call("DELETE", `/api/v1/routines/${routine.id}`)).status).toBe(204);
    await vi.waitFor(async () => {
      await runDurableObjectAlarm(ownerOf(runId));
      expect((await env.BODIES.list({ prefix: `artifacts/${routine.id}/` })).objects).toEqual([]);
    });
  });
});
