/**
 * Finds out about pushes of which nothing was heard: the instance was killed while they were under way, or the upstream did
 * not answer. A branch that stands where the push was to put it has been pushed.
 */
import { logEvent, logTrouble } from "#protocol/log.ts";
import type { RoutineStub } from "#worker/bindings.ts";
import { Stall } from "#worker/proxy/stall.ts";
import type { BegunPush, BegunPushes } from "#worker/store/begun-pushes.ts";
import type { GitCredentials } from "./git-credentials.ts";
import { askGit } from "./git-upstream.ts";
import { readRefs } from "./read-refs.ts";
import { tellPushed } from "./tell-pushed.ts";

/** How many are looked at in one sweep. */
const AT_ONCE = 10;
const ASK_MS = 30_000;
const MINUTE_MS = 60_000;
/** After which waits the upstream is asked again: a push may be worked on for long. Then it is given up. */
const WAITS_MS = [1, 5, 15, 60, 360, 1_440].map((minutes) => minutes * MINUTE_MS);

/** What GitHub's API has taken it shows at once: more looks are for where it did not answer. */
const DEED_WAITS_MS = [15 * MINUTE_MS, 360 * MINUTE_MS];

interface SettleDeps {
  begunPushes: BegunPushes;
  ownerOf(id: string): RoutineStub;
  credentials: GitCredentials;
  /** @returns whether it is known what became of a deed at GitHub. */
  settleDeed(push: BegunPush, nowMs: number): Promise<boolean>;
}

export async function settlePushes(deps: SettleDeps, nowMs: number): Promise<void> {
  const due = await deps.begunPushes.due(nowMs, AT_ONCE);
  await Promise.all(due.map((push) => settleOne(deps, push, nowMs)));
}

async function settleOne(deps: SettleDeps, push: BegunPush, nowMs: number): Promise<void> {
  const { id, tries, lease, branches, taken } = push;
  try {
    const wait = waitAfter(push);
    // First put off: what is cut off here is asked again, and not at once.
    if (wait !== undefined) await deps.begunPushes.postpone(id, tries + 1, nowMs + wait);
    await tellPushed(deps.ownerOf, push, taken);
    const isSettled = push.deed
      ? await deps.settleDeed(push, nowMs)
      : branches.length === 0 || (await look(deps, push));
    if (isSettled || wait === undefined) await deps.begunPushes.end(id);
    const outcome = isSettled ? "settled" : wait === undefined ? "given_up" : "open";
    logEvent("push_looked_up", { ...lease, outcome });
  } catch (error) {
    logTrouble("push_not_told", lease, error);
    if (waitAfter(push) === undefined) await giveUp(deps, push, error);
  }
}

function waitAfter({ deed, tries }: BegunPush): number | undefined {
  return (deed ? DEED_WAITS_MS : WAITS_MS)[tries];
}

/** It has been tried for a day. What the upstream has said that it took is in this line and nowhere else. */
async function giveUp({ begunPushes }: SettleDeps, push: BegunPush, error: unknown): Promise<void> {
  const { id, lease, number, taken } = push;
  if (taken.length > 0) logTrouble("push_lost", { ...lease, repository: number, branches: taken.length }, error);
  await begunPushes.end(id).catch(() => {});
}

/** @returns whether all that the push was to set is known. */
async function look({ credentials, ownerOf }: SettleDeps, push: BegunPush): Promise<boolean> {
  const { url, branches } = push;
  const request = {
    method: "GET" as const,
    url: `${url}/info/refs?service=git-upload-pack`,
    headers: new Headers(),
    body: null,
  };
  const answer = await askGit(request, credentials, { stall: new Stall(ASK_MS) });
  if (!answer.ok) throw new Error(answer.refusal.reason ?? answer.refusal.code);
  const { body } = answer.value;
  const wanted = new Set(branches.map(({ branch }) => `refs/heads/${branch}`));
  const refs = body === null ? new Map<string, string>() : await readRefs(body, wanted, ASK_MS);
  const taken = branches
    .filter(({ branch, commit }) => refs.get(`refs/heads/${branch}`) === commit)
    .map((branch) => ({ ...branch, isFound: true }));
  await tellPushed(ownerOf, push, taken);
  return taken.length === branches.length;
}
