/** Judges a push before the upstream sees a byte of it: its commands all together, by the routine's rule. */
import { type Result, success } from "#protocol/errors.ts";
import { branchOf } from "#protocol/git-refs.ts";
import type { PushRule } from "#protocol/routine.ts";
import { isNothing } from "#rules/push-marks.ts";
import type { HttpContext } from "#worker/http/http-env.ts";
import { Stall } from "#worker/proxy/stall.ts";
import { childrenOf, descendantsOf, readParents } from "./ancestry.ts";
import type { GitTarget } from "./git-target.ts";
import { askGit } from "./git-upstream.ts";
import { HeldBody } from "./held-body.ts";
import { newCommits } from "./new-commits.ts";
import type { PushCommand } from "./push-request.ts";
import { commandFaults, pushFault, REWRITES, toProve } from "./push-rules.ts";
import { type ReadPush, readPush } from "./read-push.ts";
import { hasRefs } from "./read-refs.ts";

/** How long the upstream may take to tell whether it has a ref. */
const ASK_MS = 30_000;
/** How many of the commits that a push adds to a branch are told to the session: no more are kept. */
const COMMITS_TOLD = 500;

export interface JudgedPush {
  push: ReadPush;
  held: HeldBody;
  /**
   * For each command why it is refused, or null where only other commands of the push are at fault. Null when the push may
   * be sent.
   */
  reasons: (string | null)[] | null;
  /** For each command the commits of the push that are known to descend from what the ref was before. */
  own: string[][];
  /** For each command the commits that the upstream had not; for a push that is refused, nothing. */
  added: string[][];
}

/** Where this refuses or throws, the rest of the body is not read. */
export async function judgePush(
  c: HttpContext,
  target: GitTarget,
  body: ReadableStream<Uint8Array>,
): Promise<Result<JudgedPush>> {
  const held = new HeldBody(body);
  try {
    const judged = await judge(c, target, held);
    if (!judged.ok) await held.cancel();
    return judged;
  } catch (error) {
    await held.cancel();
    throw error;
  }
}

async function judge(c: HttpContext, target: GitTarget, held: HeldBody): Promise<Result<JudgedPush>> {
  const read = await readPush(held);
  if (!read.ok) return read;
  const push = read.value;
  const { commands } = push;
  const refused = (reasons: (string | null)[]) => success({ push, held, reasons, own: [], added: [] });
  const allowed = async (own: string[][]) => {
    const upstream = { url: target.url, credentials: c.var.deps.gitCredentials };
    const brought = await readParents(held, push.packAt, hashNameOf(commands));
    return success({ push, held, reasons: null, own, added: await newCommits(upstream, commands, brought) });
  };
  if (commands.length === 0 && !push.isSigned) return refused([]);
  const fault = pushFault(push, target.rule);
  const faults = fault === null ? commandFaults(commands, target.rule) : commands.map(() => fault);
  if (fault !== null || faults.some((one) => one !== null)) {
    const isFirst = fault === null && isFirstPush(push, target.rule) && (await isEmpty(c, target));
    return isFirst ? allowed([]) : refused(faults);
  }
  if (target.rule.push === "any") return allowed([]);
  const shown = await readShown(c, target, push, held);
  if (!shown.ok) return shown;
  const reasons = shown.value.map((own) => (own === null ? REWRITES : null));
  if (reasons.some((reason) => reason !== null)) return refused(reasons);
  return allowed(shown.value.map((own) => own ?? []));
}

/** Whether a push only makes branches, and nothing but their names is against the rule. */
function isFirstPush({ commands }: ReadPush, rule: PushRule): boolean {
  const isNew = commands.every(({ previous }) => isNothing(previous));
  return (
    isNew && rule.push === "prefix" && commandFaults(commands, { ...rule, push: "any" }).every((one) => one === null)
  );
}

/** A repository without a ref has nothing to protect: its first branch may have any name. */
async function isEmpty(c: HttpContext, { url }: GitTarget): Promise<boolean> {
  const request = { method: "GET" as const, headers: new Headers(), body: null };
  const refs = { ...request, url: `${url}/info/refs?service=git-upload-pack` };
  const answer = await askGit(refs, c.var.deps.gitCredentials, { stall: new Stall(ASK_MS) });
  if (!answer.ok || answer.value.body === null) return false;
  return !(await hasRefs(answer.value.body, ASK_MS).catch(() => true));
}

/**
 * @returns for each command the commits of the push by which it is shown that it only adds to what is not the session's;
 * null where it is not shown.
 */
async function readShown(
  c: HttpContext,
  { lease, number }: GitTarget,
  { commands, packAt }: ReadPush,
  held: HeldBody,
): Promise<Result<(string[] | null)[]>> {
  const shown: (string[] | null)[] = commands.map(() => []);
  if (toProve(commands, []).length === 0) return success(shown);
  const branches = commands.map(({ ref }) => branchOf(ref) ?? "");
  const known = await c.var.deps.ownerOf(lease.run_id).gitRepository(lease, number, branches);
  if (!known.ok) return known;
  const open = toProve(commands, known.value.own);
  if (open.length === 0) return success(shown);
  const children = childrenOf(await readParents(held, packAt, hashNameOf(commands)));
  for (const { place, commit, from } of open) {
    const descendants = descendantsOf(from, children);
    const isShown = from.has(commit) || descendants.includes(commit);
    shown[place] = isShown ? descendants.slice(-COMMITS_TOLD) : null;
  }
  return success(shown);
}

function hashNameOf(commands: readonly PushCommand[]): "SHA-1" | "SHA-256" {
  return commands[0]?.commit.length === 64 ? "SHA-256" : "SHA-1";
}
