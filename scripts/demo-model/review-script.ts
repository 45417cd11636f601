/** Pure: the demo model's script for a review: what does a pushed branch change, and is what its changelog says true? */
import { parseLog } from "./changelog-section.ts";
import type { Exchange } from "./conversation.ts";
import type { MessagePlan } from "./reply-wire.ts";
import { bash, ENTER_REPOSITORY, findStep, finish, stop } from "./script-steps.ts";

/** The demo reviewer's prompt begins with it. */
export const REVIEW_TASK = "Review what was pushed";

const STEPS = {
  commits: "List the commits that were pushed",
  diff: "Read what they change",
  check: "Look for the commits that the changelog names",
} as const;

const ENTRIES_CHECKED = 50;

export function isReviewTask(prompt: string): boolean {
  return prompt.startsWith(REVIEW_TASK);
}

/** @param turn what the tools have answered so far. */
export function reviewReply(turn: Exchange[], tools: Set<string>): MessagePlan {
  const listing = findStep(turn, STEPS.commits);
  if (listing === undefined) return listCommits();
  if (listing.isError) return stop(tools, "The branch could not be read", listing);
  const commits = parseLog(listing.text);
  if (commits.length === 0) return finish(tools, "nothing_to_do", "The push has no commit that main does not have.");

  const diff = findStep(turn, STEPS.diff);
  if (diff === undefined) return readDiff(commits.length);
  if (diff.isError) return stop(tools, "The changes could not be read", diff);
  const files = filesIn(diff.text);
  const what = `${counted(commits.length, "commit")}, ${counted(files.length, "file")} (${files.slice(0, 5).join(", ")})`;
  const entries = entriesIn(diff.text);
  if (entries.length === 0) return finish(tools, "done", `Looked at ${what}: no changelog entry names a commit.`);

  const check = findStep(turn, STEPS.check);
  if (check === undefined) return lookFor(entries);
  if (check.isError) return stop(tools, "The history could not be read", check);
  const found = new Set(parseLog(check.text).map(({ hash }) => hash));
  const missing = entries.filter((hash) => !found.has(hash));
  const verdict =
    missing.length === 0
      ? `each of the ${entries.length} changelog entries names a commit that is in the history`
      : `${counted(missing.length, "changelog entry")} without such a commit in the history: ${missing.join(", ")}`;
  return finish(tools, "done", `Looked at ${what}: ${verdict}.`);
}

function listCommits(): MessagePlan {
  const text = "The offline demo model reviews: whatever was pushed, it reads the branch. First, its commits.";
  const command = [
    ENTER_REPOSITORY,
    // A run's clone is shallow, and stands on the commit that was pushed.
    "git fetch --quiet $(git rev-parse --is-shallow-repository | sed -e s/true/--unshallow/ -e s/false//) origin +refs/heads/main:refs/remotes/origin/main",
    "git log --no-merges --format='%h %s' origin/main..HEAD",
  ].join("\n");
  return { text, toolCalls: [bash(STEPS.commits, command)] };
}

function readDiff(commits: number): MessagePlan {
  const text = `${counted(commits, "commit")} beyond main. What do they change?`;
  const command = "git diff --unified=0 --no-color --no-renames origin/main...HEAD";
  return { text, toolCalls: [bash(STEPS.diff, command)] };
}

function lookFor(entries: string[]): MessagePlan {
  const text = `The changelog gains ${counted(entries.length, "entry")}. Is each commit there that they name?`;
  const command = [
    `for commit in ${entries.join(" ")}; do`,
    '  git merge-base --is-ancestor $commit HEAD 2>/dev/null && git log -1 --format="$commit %s" $commit',
    "done",
    "true",
  ].join("\n");
  return { text, toolCalls: [bash(STEPS.check, command)] };
}

function filesIn(diff: string): string[] {
  return [...diff.matchAll(/^diff --git a\/(.+) b\/\1$/gm)].map(([, file = ""]) => file);
}

/** Commits that added list items name, as the changelog demo writes them: `- Accept days (1a2b3c4)`. */
function entriesIn(diff: string): string[] {
  const named = [...diff.matchAll(/^\+- .+ \(([0-9a-f]{7,40})\)$/gm)].map(([, hash = ""]) => hash);
  return [...new Set(named)].slice(0, ENTRIES_CHECKED);
}

function counted(count: number, noun: string): string {
  const plural = noun.endsWith("y") ? `${noun.slice(0, -1)}ies` : `${noun}s`;
  return count === 1 ? `one ${noun}` : `${count} ${plural}`;
}
