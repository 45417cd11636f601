/** By what a push of one of our own runs is known again in GitHub's events, and by what it is not. */
import { describe, expect, it } from "vitest";
import type { JsonObject } from "#protocol/schema.ts";
import { marksOf } from "#rules/push-marks.ts";
import { deedIn, deedMark, marked, runIn } from "#rules/run/deed-marker.ts";
import { pushMarks } from "#worker/inbound/sources/github/pushed.ts";

const ID = 7;
const NAME = "acme/app";
const repository = { id: ID, full_name: "Acme/App" };
const [NONE, OLD, NEW, MERGE] = ["0", "1", "2", "3"].map((digit) => digit.repeat(40)) as [
  string,
  string,
  string,
  string,
];
const REF = "refs/heads/claude/fix";
const person = { sender: { login: "maya", type: "User" } };
const app = { sender: { login: "merge-queue[bot]", type: "Bot" } };
const head = (repo: JsonObject | null = repository) => ({ number: 3, head: { sha: NEW, ref: "claude/fix", repo } });

/** What the proxy has noted of a run that set the branch from `OLD` to `NEW`. */
const updated = { previous: OLD, commit: NEW, ref: REF };
const created = { previous: NONE, commit: NEW, ref: REF };
const deleted = { previous: OLD, commit: NONE, ref: REF };

function isKnown(update: typeof updated, name: string, payload: JsonObject, key: number | string = ID): boolean {
  const noted = new Set(marksOf(key, update));
  return pushMarks(name, { repository, ...payload }).some((mark) => noted.has(mark));
}

describe("an event that a run's push has caused", () => {
  it.each<[what: string, update: typeof updated, name: string, payload: JsonObject]>([
    ["the push, of an account that is a person", updated, "push", { ...person, ref: REF, before: OLD, after: NEW }],
    ["the push, of an app", updated, "push", { ...app, ref: REF, before: OLD, after: NEW }],
    ["a new branch", created, "push", { ...person, ref: REF, before: NONE, after: NEW, created: true }],
    ["its creation", created, "create", { ...person, ref: "claude/fix", ref_type: "branch" }],
    ["a deletion", deleted, "push", { ...person, ref: REF, before: OLD, after: NONE, deleted: true }],
    ["its being told", deleted, "delete", { ...person, ref: "claude/fix", ref_type: "branch" }],
    ["a pull request with it", created, "pull_request", { ...person, action: "opened", pull_request: head() }],
    ["more of it", updated, "pull_request", { ...person, action: "synchronize", pull_request: head() }],
    ["an app's merge", updated, "pull_request", { ...app, action: "closed", pull_request: head() }],
    [
      "what an app pushes then",
      updated,
      "push",
      { ...app, ref: "refs/heads/main", before: OLD, after: MERGE, commits: [{ id: NEW }, { id: MERGE }] },
    ],
    ["an app's review", updated, "pull_request_review", { ...app, review: {}, pull_request: head() }],
    ["a check", updated, "check_run", { ...person, check_run: { head_sha: NEW } }],
    ["a workflow", updated, "workflow_run", { ...person, workflow_run: { head_sha: NEW } }],
    ["a status", updated, "status", { ...person, sha: NEW }],
  ])("is known: %s", (_what, update, name, payload) => {
    expect(isKnown(update, name, payload)).toBe(true);
    expect(isKnown(update, name, payload, NAME)).toBe(true);
  });

  it("is known by the newest hundred of thousands of commits", () => {
    const ids = Array.from({ length: 2_048 }, (_, place) => (place + 1).toString(16).padStart(40, "0"));
    const after = ids.at(-1) ?? "";
    const payload = { ...app, ref: REF, before: OLD, after, commits: ids.map((id) => ({ id })) };
    const marks = pushMarks("push", { repository, ...payload });
    expect(marks).toHaveLength(202);
    expect(marks[0]).toBe(`${ID} ${OLD}..${after} ${REF}`);
  });
});

describe("what is not the run's doing", () => {
  const fork = { id: 99, full_name: "stranger/app" };
  it.each<[what: string, name: string, payload: JsonObject]>([
    ["a person sets the branch back to it", "push", { ...person, ref: REF, before: MERGE, after: NEW }],
    ["a person moves main on to it", "push", { ...person, ref: "refs/heads/main", before: OLD, after: NEW }],
    [
      "a person merges it",
      "push",
      { ...person, ref: "refs/heads/main", before: OLD, after: MERGE, commits: [{ id: NEW }, { id: MERGE }] },
    ],
    ["a person closes its pull request", "pull_request", { ...person, action: "closed", pull_request: head() }],
    ["a person labels it", "pull_request", { ...person, action: "labeled", pull_request: head() }],
    ["a person reviews it", "pull_request_review", { ...person, review: {}, pull_request: head() }],
    ["a person comments", "pull_request_review_comment", { ...person, comment: {}, pull_request: head() }],
    ["a stranger's fork stands on it", "pull_request", { ...person, action: "opened", pull_request: head(fork) }],
    ["a fork that is gone", "pull_request", { ...person, action: "opened", pull_request: head(null) }],
    ["another repository", "push", { ...person, repository: fork, ref: REF, before: OLD, after: NEW }],
    ["an issue", "issues", { ...person, action: "opened", issue: {} }],
  ])("%s", (_what, name, payload) => {
    expect(isKnown(updated, name, payload)).toBe(false);
    expect(isKnown(updated, name, payload, NAME)).toBe(false);
  });

  it.each<[JsonObject]>([[{}], [{ ref: REF, before: "x", after: NEW }], [{ ref: REF, before: OLD, after: 7 }]])(
    "a push that is none: %j",
    (payload) => {
      expect(pushMarks("push", { repository, ...payload })).toEqual([]);
      expect(pushMarks("push", payload)).toEqual([]);
    },
  );
});

describe("an event of what a run has written", () => {
  it("has one marker, whatever markers the text was made of", () => {
    const of = (deedId: string) => marked("", { sessionId: "session_1", runId: "run_1", deedId });
    const other = of("b".repeat(32));
    const nested = `${other.slice(0, 20)}${other.slice(0, 9)}${other}${other.slice(9)}${other.slice(20)}`;
    const written = marked(nested, { sessionId: "session_1", runId: "run_1", deedId: "a".repeat(32) });
    expect([written, deedIn(written), runIn(written)]).toEqual([of("a".repeat(32)), "a".repeat(32), "run_1"]);
  });

  const [own, other] = ["a".repeat(32), "b".repeat(32)] as [string, string];
  const by = (deedId: string, text: string) => marked(text, { sessionId: "session_1", runId: "run_1", deedId });
  const knows = (name: string, payload: JsonObject) =>
    pushMarks(name, { repository, ...payload })[0] === deedMark(ID, own);

  it.each<[name: string, payload: JsonObject]>([
    ["issue_comment", { comment: { body: by(own, `> ${by(other, "Quoted")}\n\nAnswered`) } }],
    ["pull_request_review", { review: { body: by(own, "") }, pull_request: head() }],
    ["pull_request_review_comment", { comment: { body: by(own, "Say more.") }, pull_request: head() }],
    ["issues", { action: "opened", issue: { body: by(own, "To do.") } }],
    ["pull_request", { action: "opened", pull_request: { ...head(), body: by(own, "Mended.") } }],
  ])("%s is known by its marker, before the commit that it is about, where no person has sent it", (name, payload) => {
    expect(knows(name, { ...app, ...payload })).toBe(true);
    expect(knows(name, { ...person, ...payload })).toBe(false);
  });

  it("is none where an app does something to a text of a person's, who has copied a marker", () => {
    const issue = { number: 7, body: by(own, "Not the run's."), user: { login: "maya", type: "User" } };
    expect(knows("issues", { ...app, action: "labeled", issue })).toBe(false);
    expect(knows("issues", { ...app, action: "labeled", issue: { ...issue, user: { type: "Bot" } } })).toBe(true);
  });
});
