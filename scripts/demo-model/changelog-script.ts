/** Pure: the demo model's script for the changelog: bring CHANGELOG.md up to date on a branch of its own. */
import { type ChangelogChange, insertSection, missingSection, parseLog } from "./changelog-section.ts";
import type { Exchange } from "./conversation.ts";
import type { MessagePlan } from "./reply-wire.ts";
import { bash, ENTER_REPOSITORY, findStep, finish, stop } from "./script-steps.ts";

/** The Bash steps by their descriptions, which are how a step is found again in a conversation. */
const STEPS = {
  release: "Find the last release",
  log: "List the commits since the last release",
  cat: "Read the changelog",
  commit: "Commit the changelog on a new branch",
  push: "Push the branch",
} as const;

/** @param turn what the tools have answered so far. */
export function changelogReply(turn: Exchange[], tools: Set<string>): MessagePlan {
  const release = findStep(turn, STEPS.release);
  if (release === undefined) return findRelease();
  const root = release.text.split("\n").find((line) => line.startsWith("/"));
  if (release.isError || root === undefined) return stop(tools, "There is no git repository to work on", release);
  const tag = tagIn(release.text);

  const log = findStep(turn, STEPS.log);
  if (log === undefined) return listCommits(tag);
  if (log.isError) return stop(tools, "The history could not be read", log);
  const commits = parseLog(log.text);
  const since = tag === null ? "in the history" : `since ${tag}`;
  if (commits.length === 0) return finish(tools, "nothing_to_do", `There are no commits ${since}.`);

  const reading = turn.find(({ name }) => name === "Read") ?? findStep(turn, STEPS.cat);
  if (reading === undefined) return readChangelog(tools, root, commits.length, since);
  const changelog = reading.isError ? "" : withoutLineNumbers(reading);
  const change = missingSection(commits, changelog, tag);
  if (change === null) {
    return finish(tools, "nothing_to_do", `CHANGELOG.md already tells everything that changed ${since}.`);
  }

  const writing = turn.find(({ name }) => name === "Edit" || name === "Write");
  if (writing === undefined) return writeSection(tools, root, changelog, change);
  if (writing.isError) return stop(tools, "CHANGELOG.md could not be written", writing);

  const branch = branchName(change, release.id);
  const commit = findStep(turn, STEPS.commit);
  if (commit === undefined) return commitOn(branch, change);
  if (commit.isError) return stop(tools, "The commit failed", commit);

  const push = findStep(turn, STEPS.push);
  if (push === undefined) return pushBranch(branch);
  if (push.isError) return stop(tools, `The branch ${branch} could not be pushed`, push);
  const entries = change.entries === 1 ? "one entry" : `${change.entries} entries`;
  return finish(tools, "done", `CHANGELOG.md has a section for ${change.title} with ${entries}, on branch ${branch}.`);
}

function findRelease(): MessagePlan {
  const text =
    "The offline demo model is at work: whatever the task says, it brings CHANGELOG.md up to date. " +
    "First, the last release.";
  return {
    text,
    toolCalls: [
      bash(
        STEPS.release,
        [
          ENTER_REPOSITORY,
          // A run's clone is shallow: tags and the commits behind them have to be fetched.
          "git fetch --quiet --tags $(git rev-parse --is-shallow-repository | sed -e s/true/--unshallow/ -e s/false//)",
          "git rev-parse --show-toplevel && (git describe --tags --abbrev=0 2>/dev/null || echo none)",
        ].join("\n"),
      ),
    ],
  };
}

function listCommits(tag: string | null): MessagePlan {
  const range = tag === null ? "-n 50" : `${tag}..HEAD`;
  const text =
    tag === null ? "There is no release yet. What has happened?" : `The last release is ${tag}. What came after it?`;
  return { text, toolCalls: [bash(STEPS.log, `git log --no-merges --format='%h %s' ${range}`)] };
}

function readChangelog(tools: Set<string>, root: string, commits: number, since: string): MessagePlan {
  const text =
    commits === 1
      ? `One commit ${since}. Does the changelog know it?`
      : `${commits} commits ${since}. Which of them does the changelog know?`;
  const path = `${root}/CHANGELOG.md`;
  if (tools.has("Read")) return { text, toolCalls: [{ name: "Read", input: { file_path: path } }] };
  return { text, toolCalls: [bash(STEPS.cat, "cat CHANGELOG.md")] };
}

function writeSection(tools: Set<string>, root: string, changelog: string, change: ChangelogChange): MessagePlan {
  const text = `CHANGELOG.md lacks a section for ${change.title}.`;
  const path = `${root}/CHANGELOG.md`;
  const { anchor, whole } = insertSection(changelog, change.section);
  if (anchor !== null && tools.has("Edit")) {
    const input = { file_path: path, old_string: anchor, new_string: `${change.section}\n${anchor}` };
    return { text, toolCalls: [{ name: "Edit", input }] };
  }
  if (tools.has("Write")) return { text, toolCalls: [{ name: "Write", input: { file_path: path, content: whole } }] };
  return finish(tools, "blocked", "The offline demo model needs the Edit or Write tool.");
}

function commitOn(branch: string, change: ChangelogChange): MessagePlan {
  const command = [
    `git checkout --quiet -b ${branch}`,
    "git add CHANGELOG.md",
    `git commit --quiet -m 'docs: add ${change.title} to the changelog'`,
    "git show --stat --format='%h %s' HEAD",
  ].join(" &&\n");
  return { text: `The section is in. I commit it on ${branch}.`, toolCalls: [bash(STEPS.commit, command)] };
}

function pushBranch(branch: string): MessagePlan {
  return { text: `Now ${branch} goes to the upstream.`, toolCalls: [bash(STEPS.push, "git push -u origin HEAD")] };
}

/** The tag is the last line; one with a sign that a shell could read otherwise is taken for none. */
function tagIn(output: string): string | null {
  const last = output.trim().split("\n").at(-1) ?? "none";
  return last !== "none" && /^[A-Za-z0-9][A-Za-z0-9._/+-]*$/.test(last) ? last : null;
}

/** The Read tool numbers its lines. */
function withoutLineNumbers({ name, text }: Exchange): string {
  return name === "Read" ? text.replace(/^ *\d+(?:→|\t)/gm, "") : text;
}

/** The same for all steps of a conversation, and another one in the next: it takes letters of the first call's id. */
function branchName({ title }: ChangelogChange, id: string): string {
  const unique = id.replace(/[^A-Za-z0-9]/g, "").slice(-6);
  return `claude/changelog-${title.toLowerCase()}-${unique.toLowerCase()}`;
}
