/** What people see of a run's work beside its transcript: what has changed. */
import { exports } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import type { Diff, SentDiff } from "#protocol/diff.ts";
import { runnerCallPath } from "#protocol/runner-calls.ts";
import { buildRoutine, call, fired } from "#test/support/api.ts";
import { FakeRunner, type FakeWork, RUNNING } from "#test/support/fake-runner.ts";

/** As the runner of an attempt asks its instance beside the link. */
function ask(work: FakeWork, method: string, rest: string, body: BodyInit | null, type = "application/json") {
  const { lease, link_token } = work.offer;
  return exports.default.fetch(
    new Request(`http://reveille.test${runnerCallPath(lease.run_id, rest)}`, {
      method,
      headers: { authorization: `Bearer ${link_token}`, "content-type": type },
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
