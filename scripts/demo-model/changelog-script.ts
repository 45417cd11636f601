/**
 * Pure: what the offline demo model says next. It keeps one script, whatever it is asked: bring CHANGELOG.md up to date
 * on a branch of its own. Every step rests on what the tools really answered in the conversation so far.
 */
import { type ChangelogChange, insertSection, missingSection, parseLog } from "./changelog-section.ts";
import { currentTurn, type Exchange } from "./conversation.ts";
import type { MessagesRequest } from "./messages-request.ts";
import type { MessagePlan } from "./reply-wire.ts";

const REPORT_TOOL = "mcp__reveille__report_result";

/** The Bash steps by their descriptions, which are how a step is found again in a conversation. */
const STEPS = {
  release: "Find the last release",
  log: "List the commits since the last release",
  cat: "Read the changelog",
  commit: "Commit the changelog on a new branch",
  push: "Push the branch",
} as const;

type Outcome = "done" | "nothing_to_do" | "blocked";

/** Decides the next reply from the request alone, so that any number of conversations can be under way. */
export function nextReply(request: MessagesRequest): MessagePlan {
  const tools = new Set(request.tools?.map(({ name }) => name));
  // Side requests of the agent, a title for instance, come without tools.
  if (tools.size === 0) return { text: "Changelog demo" };
  const turn = currentTurn(request.messages);
  const report = turn.find(({ name }) => name === REPORT_TOOL);
  if (report !== undefined) return { text: closingText(report) };
  if (!tools.has("Bash")) return finish(tools, "blocked", "The offline demo model needs the Bash tool.");

  const release = findStep(turn, "release");
  if (release === undefined) return findRelease();
  const root = release.text.split("\n").find((line) => line.startsWith("/"));
  if (release.isError || root === undefined) return stop(tools, "There is no git repository to work on", release);
  const tag = tagIn(release.text);

  const log = findStep(turn, "log");
  if (log === undefined) return listCommits(tag);
  if (log.isError) return stop(tools, "The history could not be read", log);
  const commits = parseLog(log.text);
  const since = tag === null ? "in the history" : `since ${tag}`;
  if (commits.length === 0) return finish(tools, "nothing_to_do", `There are no commits ${since}.`);

  const reading = turn.find(({ name }) => name === "Read") ?? findStep(turn, "cat");
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
  const commit = findStep(turn, "commit");
  if (commit === undefined) return commitOn(branch, change);
  if (commit.isError) return stop(tools, "The commit failed", commit);

  const push = findStep(turn, "push");
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
        "release",
        [
          'for d in . */; do [ -e "$d/.git" ] && cd "$d" && break; done',
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
  return { text, toolCalls: [bash("log", `git log --no-merges --format='%h %s' ${range}`)] };
}

function readChangelog(tools: Set<string>, root: string, commits: number, since: string): MessagePlan {
  const text =
    commits === 1
      ? `One commit ${since}. Does the changelog know it?`
      : `${commits} commits ${since}. Which of them does the changelog know?`;
  const path = `${root}/CHANGELOG.md`;
  if (tools.has("Read")) return { text, toolCalls: [{ name: "Read", input: { file_path: path } }] };
  return { text, toolCalls: [bash("cat", "cat CHANGELOG.md")] };
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
  return { text: `The section is in. I commit it on ${branch}.`, toolCalls: [bash("commit", command)] };
}

function pushBranch(branch: string): MessagePlan {
  return { text: `Now ${branch} goes to the upstream.`, toolCalls: [bash("push", "git push -u origin HEAD")] };
}

/** Ends the work because a step failed. */
function stop(tools: Set<string>, what: string, { text }: Exchange): MessagePlan {
  return finish(tools, "blocked", `${what}: ${errorLine(text)}`);
}

/** Reports by the runner's tool; without it, in words. */
function finish(tools: Set<string>, result: Outcome, summary: string): MessagePlan {
  if (!tools.has(REPORT_TOOL)) return { text: summary };
  return {
    text: "That settles it; I report the result.",
    toolCalls: [{ name: REPORT_TOOL, input: { result, summary } }],
  };
}

function closingText({ input, isError, text }: Exchange): string {
  const summary = typeof input["summary"] === "string" ? input["summary"] : "The work is over.";
  return isError ? `${summary} (The report was not accepted: ${errorLine(text)})` : summary;
}

function bash(step: keyof typeof STEPS, command: string) {
  return { name: "Bash", input: { command, description: STEPS[step] } };
}

function findStep(turn: Exchange[], step: keyof typeof STEPS): Exchange | undefined {
  return turn.find(({ name, input }) => name === "Bash" && input["description"] === STEPS[step]);
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

/** The line that says what went wrong. */
function errorLine(text: string): string {
  const lines = text.split("\n").map((line) => line.trim());
  const telling = lines.find((line) => /^(?:fatal|error|remote): */i.test(line)) ?? lines.filter(Boolean).at(-1);
  return (telling ?? "no message").slice(0, 300);
}
