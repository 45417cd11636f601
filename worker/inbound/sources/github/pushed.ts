/** Which pushes, and which other deeds of runs, an event may follow from, as marks: those of our own runs are known by them. Pure. */
import { branchRef, readRef } from "#protocol/git-refs.ts";
import type { JsonObject } from "#protocol/schema.ts";
import { commitMark, refMark, updateMark } from "#rules/push-marks.ts";
import { deedIn, deedMark } from "#rules/run/deed-marker.ts";
import { textAt, valueAt } from "../payload.ts";
import { idAt, shaAt } from "./pull-request.ts";

/** A repository by its number, and by its name: a run may have pushed before the number was known. */
type Keys = readonly (number | string)[];
type Marks = (payload: JsonObject, keys: Keys) => string[];

const COMMITS_LIMIT = 100;
const NAME_LIMIT = 300;
const OBJECT_NAME = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/;

/** What a push itself brings about; what else happens to a pull request is somebody's own act. */
const PUSHED_ACTIONS = ["opened", "synchronize"];

const MARKS = new Map<string, Marks>([
  ["push", ofPush],
  ["create", (payload, keys) => ofRef(payload, keys, "created")],
  ["delete", (payload, keys) => ofRef(payload, keys, "deleted")],
  ["pull_request", ofPullRequest],
  ["pull_request_review", ofReview],
  ["pull_request_review_comment", ofReview],
  ["pull_request_review_thread", ofReview],
  ["check_run", ofCommitAt("check_run.head_sha")],
  ["check_suite", ofCommitAt("check_suite.head_sha")],
  ["workflow_run", ofCommitAt("workflow_run.head_sha")],
  ["workflow_job", ofCommitAt("workflow_job.head_sha")],
  ["deployment", ofCommitAt("deployment.sha")],
  ["deployment_status", ofCommitAt("deployment.sha")],
  ["deployment_review", ofCommitAt("workflow_run.head_sha")],
  ["status", ofCommitAt("sha")],
]);

/**
 * The surest first, at most some 200; none for what no push has caused. Checks, workflows and what apps do follow from a
 * commit. What a person does afterwards with a run's work, a review or a merge, is the person's: it may wake that routine.
 */
export function pushMarks(name: string, payload: JsonObject): string[] {
  const keys = keysAt(payload, "repository");
  return [...ofDeed(name, payload, keys), ...(MARKS.get(name)?.(payload, keys) ?? [])];
}

/** What a run may have written, with the marker of its deed in its `body`. */
const WRITTEN = new Map([
  ["issue_comment", "comment"],
  ["pull_request_review", "review"],
  ["pull_request_review_comment", "comment"],
  ["issues", "issue"],
  ["pull_request", "pull_request"],
]);

/**
 * A person who copies a marker, or edits what has one, has done that by themselves; and what an app does to a text of a person's, who
 * may have copied one into it, is not the run's.
 */
function ofDeed(name: string, payload: JsonObject, keys: Keys): string[] {
  const written = WRITTEN.get(name);
  if (written === undefined || isByPerson(payload) || textAt(payload, `${written}.user.type`) === "User") return [];
  const deed = deedIn(textAt(payload, `${written}.body`) ?? "");
  return deed === null ? [] : keys.map((key) => deedMark(key, deed));
}

function keysAt(payload: JsonObject, path: string): Keys {
  const id = idAt(payload, `${path}.id`);
  const fullName = textAt(payload, `${path}.full_name`);
  return id === null || fullName === null ? [] : [id, fullName.slice(0, NAME_LIMIT).toLowerCase()];
}

/**
 * By exactly what was changed from what to what: the same commit on another branch is another push. A push to what has no
 * name that could be compared is known by its commits.
 */
function ofPush(payload: JsonObject, keys: Keys): string[] {
  const ref = readRef(textAt(payload, "ref"));
  const [previous, commit] = ["before", "after"].map((path) => textAt(payload, path));
  if (!previous || !commit || !OBJECT_NAME.test(previous) || !OBJECT_NAME.test(commit)) return [];
  const exact = ref === null ? [] : keys.map((key) => updateMark(key, { previous, commit, ref }));
  if (ref !== null && isByPerson(payload)) return exact;
  // An app that merges goes on with what a run has pushed.
  const told = valueAt(payload, "commits");
  const newest = Array.isArray(told) ? told.slice(-COMMITS_LIMIT).reverse() : [];
  const commits = new Set([shaAt(payload, "after"), ...newest.map((one) => shaAt(one, "id"))]);
  return [...exact, ...[...commits].flatMap((sha) => ofCommit(sha, keys))];
}

function ofRef(payload: JsonObject, keys: Keys, change: "created" | "deleted"): string[] {
  const name = textAt(payload, "ref");
  const ref = textAt(payload, "ref_type") === "tag" ? readRef(`refs/tags/${name ?? ""}`) : branchRef(name);
  return ref === null ? [] : keys.map((key) => refMark(key, change, ref));
}

function ofPullRequest(payload: JsonObject): string[] {
  const isPushed = PUSHED_ACTIONS.includes(textAt(payload, "action") ?? "");
  return isPushed || !isByPerson(payload) ? ofHead(payload) : [];
}

function ofReview(payload: JsonObject): string[] {
  return isByPerson(payload) ? [] : ofHead(payload);
}

/** In the head's own repository: anybody can have their fork stand on a commit that a run has pushed elsewhere. */
function ofHead(payload: JsonObject): string[] {
  return ofCommit(shaAt(payload, "pull_request.head.sha"), keysAt(payload, "pull_request.head.repo"));
}

function ofCommitAt(path: string): Marks {
  return (payload, keys) => ofCommit(shaAt(payload, path), keys);
}

function ofCommit(sha: string | null, keys: Keys): string[] {
  return sha === null ? [] : keys.map((key) => commitMark(key, sha));
}

function isByPerson(payload: JsonObject): boolean {
  return textAt(payload, "sender.type") === "User";
}
