/** What the agent is told of pushes, releases, and what ran on a commit. Pure. */
import type { Json, JsonObject } from "#protocol/schema.ts";
import { isObject, textAt, valueAt } from "../payload.ts";
import { fact, list, oneLine, type Told, text } from "./context-lines.ts";
import { idAt } from "./pull-request.ts";

const TEXT_LIMIT = 6_000;
const COMMITS_SHOWN = 50;

export function pushTold(payload: JsonObject): Told {
  const commits = itemsAt(payload, "commits");
  const shown = commits.slice(-COMMITS_SHOWN).map(commitLine);
  return {
    facts: [
      fact("Ref", payload, "ref"),
      fact("Before", payload, "before"),
      fact("After", payload, "after"),
      fact("Created", payload, "created"),
      fact("Deleted", payload, "deleted"),
      fact("Forced", payload, "forced"),
      fact("Comparison", payload, "compare"),
      ["Commits", String(commits.length)],
      list("Changed files", filesOf(commits)),
    ],
    texts: [["Newest commits", shown.length === 0 ? null : shown.join("\n")]],
  };
}

export function releaseTold(payload: JsonObject): Told {
  return {
    facts: [
      fact("Release", payload, "release.name"),
      fact("Tag", payload, "release.tag_name"),
      fact("Target", payload, "release.target_commitish"),
      fact("Address", payload, "release.html_url"),
      fact("Author", payload, "release.author.login"),
      fact("Draft", payload, "release.draft"),
      fact("Prerelease", payload, "release.prerelease"),
    ],
    texts: [text("Release notes", payload, "release.body", TEXT_LIMIT)],
  };
}

/** A check run, check suite, workflow run or workflow job: they have the same words for the same. */
export function runTold(payload: JsonObject, part: string): Told {
  const run = valueAt(payload, part);
  const numbers = itemsAt(run, "pull_requests").flatMap((one) => idAt(one, "number") ?? []);
  return {
    facts: [
      fact("Name", run, "name"),
      fact("Title", run, "display_title"),
      fact("Status", run, "status"),
      fact("Conclusion", run, "conclusion"),
      fact("Address", run, "html_url"),
      fact("Details", run, "details_url"),
      fact("App", run, "app.name"),
      fact("Workflow", run, "workflow_name"),
      fact("Started by", run, "event"),
      fact("Attempt", run, "run_attempt"),
      fact("Head branch", run, "head_branch"),
      fact("Head commit", run, "head_sha"),
      fact("Head repository", run, "head_repository.full_name"),
      fact("Asked for", payload, "requested_action.identifier"),
      list(
        "Pull requests",
        numbers.map((number) => `#${number}`),
      ),
      list("Failed steps", failedSteps(run)),
      fact("Output", run, "output.title"),
    ],
    texts: [
      text("Output's summary", run, "output.summary", TEXT_LIMIT),
      text("Output", run, "output.text", TEXT_LIMIT),
    ],
  };
}

export function mergeGroupTold(payload: JsonObject): Told {
  return {
    facts: [
      fact("Reason", payload, "reason"),
      fact("Head ref", payload, "merge_group.head_ref"),
      fact("Head commit", payload, "merge_group.head_sha"),
      fact("Base ref", payload, "merge_group.base_ref"),
      fact("Base commit", payload, "merge_group.base_sha"),
    ],
    texts: [text("Commit message", payload, "merge_group.head_commit.message", TEXT_LIMIT)],
  };
}

export function statusTold(payload: JsonObject): Told {
  const branches = itemsAt(payload, "branches").flatMap((branch) => textAt(branch, "name") ?? []);
  return {
    facts: [
      fact("Status", payload, "context"),
      fact("State", payload, "state"),
      fact("Description", payload, "description"),
      fact("Details", payload, "target_url"),
      fact("Commit", payload, "sha"),
      list("Branches", branches),
    ],
    texts: [],
  };
}

function commitLine(commit: JsonObject): string {
  const message = (textAt(commit, "message") ?? "").slice(0, 1_000).split("\n")[0] ?? "";
  const author = textAt(commit, "author.username") ?? textAt(commit, "author.name");
  const id = (textAt(commit, "id") ?? "").slice(0, 12);
  return oneLine([id, message, author === null ? "" : `(${author})`].join(" ").slice(0, 240)) ?? "";
}

function filesOf(commits: readonly JsonObject[]): string[] {
  const kinds = ["added", "modified", "removed"];
  const files = commits.slice(-COMMITS_SHOWN).flatMap((commit) => kinds.flatMap((kind) => wordsAt(commit, kind)));
  return [...new Set(files)];
}

function failedSteps(run: Json | undefined): string[] {
  const failed = itemsAt(run, "steps").filter((step) => textAt(step, "conclusion") === "failure");
  return failed.flatMap((step) => textAt(step, "name") ?? []);
}

function wordsAt(value: Json | undefined, path: string): string[] {
  const found = valueAt(value, path);
  return Array.isArray(found) ? found.filter((one) => typeof one === "string") : [];
}

function itemsAt(value: Json | undefined, path: string): JsonObject[] {
  const found = valueAt(value, path);
  return Array.isArray(found) ? found.filter(isObject) : [];
}
