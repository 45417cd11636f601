/** Whether a push may leave: the routine's rule for the repository, and what no push may do. Pure. */
import type { OwnBranch } from "#durable-objects/routine/sessions/session-branches.ts";
import { branchOf, REF_LIMIT_BYTES, readRef } from "#protocol/git-refs.ts";
import type { PushRule } from "#protocol/routine.ts";
import { isNothing } from "#rules/push-marks.ts";
import { isText, type PushCommand } from "./push-request.ts";
import type { ReadPush } from "./read-push.ts";

/** What one push may set: each ref is noted. */
const REFS_LIMIT = 500;

/** A command that may go through only if its commit descends from one of these. */
export interface ToProve {
  place: number;
  commit: string;
  from: ReadonlySet<string>;
}

export const NOTHING_ALLOWED = "nothing may be pushed to this repository (push: none)";

/** @returns why nothing of the push can be allowed, whatever it sets; null when its commands are to be looked at. */
export function pushFault({ commands, features, isSigned, options }: ReadPush, { push }: PushRule): string | null {
  if (push === "none") return NOTHING_ALLOWED;
  if (isSigned) return "a signed push can't be checked: push without --signed";
  if (commands.length > REFS_LIMIT) return `a push may set at most ${REFS_LIMIT} refs`;
  if (!features.has("report-status") && !features.has("report-status-v2")) return "a push must ask for report-status";
  const option = options.find((text) => isForbiddenOption(text, push));
  return option === undefined ? null : `the push option ${JSON.stringify(option.slice(0, 100))} does more than push`;
}

/**
 * Options by which a server does something else with the pusher's rights: change the repository's settings (Gitea, Forgejo),
 * leave its own checks out, or merge into a branch that could not be pushed to (GitLab, which passes over blanks around
 * names, and knows `mr` for `merge_request`).
 */
function isForbiddenOption(option: string, push: PushRule["push"]): boolean {
  const [, area = "", key = ""] = /^\s*([^.]*?)\s*\.\s*([^=]*?)\s*(?:=|$)/.exec(option.toLowerCase()) ?? [];
  if (["repo", "secret_push_protection", "secret_detection"].includes(area)) return true;
  const isMergeRequest = area === "merge_request" || area === "mr";
  return push === "prefix" && isMergeRequest && ["auto_merge", "merge_when_pipeline_succeeds"].includes(key);
}

/** @returns for each command why it may not go through, or null. */
export function commandFaults(commands: readonly PushCommand[], rule: PushRule): (string | null)[] {
  const counts = new Map<string, number>();
  for (const { ref } of commands) counts.set(ref, (counts.get(ref) ?? 0) + 1);
  return commands.map((command) =>
    (counts.get(command.ref) ?? 0) > 1 ? "it is set twice" : commandFault(command, rule),
  );
}

function commandFault(command: PushCommand, { push, push_prefix }: PushRule): string | null {
  const { ref, commit } = command;
  if (!isText(command)) return "its name is not UTF-8";
  if (command.bytes.length > REF_LIMIT_BYTES) return `its name is longer than ${REF_LIMIT_BYTES} bytes`;
  if (readRef(ref) === null) return "git takes no such name";
  const branch = branchOf(ref);
  if (branch === null) return ref.startsWith("refs/tags/") ? "tags may not be pushed" : "only branches may be pushed";
  if (isNothing(commit)) return "branches may not be deleted";
  // Byte for byte, as git compares names.
  if (push === "prefix" && !branch.startsWith(push_prefix)) {
    return `only branches whose names begin with ${push_prefix} may be pushed`;
  }
  return null;
}

export const REWRITES =
  "it would rewrite a branch that this session has not made, or the push does not show that it only adds to it";

/**
 * What has to be shown of a push that its commands allow. A new branch rewrites nothing; of a branch that stands where the
 * session has put it, what lies below its own part has to stay; of every other, all that there is.
 */
export function toProve(commands: readonly PushCommand[], own: readonly OwnBranch[]): ToProve[] {
  const known = new Map(own.map((one) => [one.branch, one]));
  return commands.flatMap(({ previous, commit, ref }, place) => {
    if (isNothing(previous)) return [];
    const mine = known.get(branchOf(ref) ?? "");
    if (mine?.tip !== previous) return [{ place, commit, from: new Set([previous]) }];
    return mine.base === null ? [] : [{ place, commit, from: new Set([previous, mine.base, ...mine.own]) }];
  });
}
