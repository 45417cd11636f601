/**
 * What a run writes at GitHub: noted by its object and by a mark before GitHub is asked, looked for where an earlier call's answer
 * was lost, and recorded before the agent hears of it.
 */
import { toHex } from "#instance/attempt-token.ts";
import { withinDeadline } from "#instance/in-time.ts";
import { type Result, refuse, success } from "#protocol/errors.ts";
import type { DoneDeed, SoughtDeed } from "#protocol/github-deed.ts";
import { logTrouble } from "#protocol/log.ts";
import { deedMark, marked } from "#rules/run/deed-marker.ts";
import { findDeed } from "./find-deed.ts";
import type { GithubPlace } from "./github-calls.ts";
import type { GithubWork } from "./github-work.ts";

/** How long the index may take to note a mark. */
const NOTE_MS = 10_000;
/** Hex digits of a deed's id. */
const ID_LENGTH = 32;
/** GitHub has done it by then, or never does. */
const LOOK_AFTER_MS = 120_000;

export interface Deed extends Omit<SoughtDeed, "id"> {
  /** What tells it from the run's other deeds; null where GitHub itself, or its nature, lets it happen once. */
  content: unknown;
  /** @param mark puts its marker behind a text. */
  make(mark: (text: string) => string, sought: SoughtDeed): Promise<Result<DoneDeed>>;
}

export interface Done {
  done: DoneDeed;
  /** An earlier call had done it. */
  wasDone: boolean;
}

/** Goes on to its end also when the one who asked has gone. */
export function doDeed(work: GithubWork, place: GithubPlace, deed: Deed): Promise<Result<Done>> {
  const doing = settle(work, place, deed);
  work.c.executionCtx.waitUntil(doing.catch(() => {}));
  return doing;
}

async function settle(work: GithubWork, place: GithubPlace, deed: Deed): Promise<Result<Done>> {
  const { lease, run, deps } = work;
  const owner = deps.ownerOf(lease.run_id);
  const { kind, branch, about } = deed;
  const sought = { id: await idOf(lease.run_id, place, deed), kind, branch, about };
  const begun = await owner.beginDeed(lease, { id: sought.id, kind, number: place.number, branch });
  if (!begun.ok) return begun;
  if (begun.value.state === "done") return success({ done: begun.value.done, wasDone: true });
  const isHeld = begun.value.state === "look" && begun.value.isHeld;
  if (begun.value.state === "look") {
    const found = await findDeed(work, place, sought, begun.value.sinceMs);
    // GitHub may still be at it.
    if (found.ok && found.value === null && isHeld) return refuse("github_deed_under_way");
    if (!found.ok) return found;
    if (found.value !== null) {
      await end(work, sought, found.value);
      return success({ done: found.value, wasDone: true });
    }
  }
  const mark = deedMark(place.key, sought.id);
  if (!(await note(work, place, mark, sought))) {
    await end(work, sought, null);
    const reason = "it was not sent, because it could not be noted: try again soon";
    return refuse("index_behind", { message: `This is for now: ${reason}.`, reason });
  }
  const of = { sessionId: run.session_id, runId: lease.run_id, deedId: sought.id };
  const made = await deed.make((text) => marked(text, of), sought);
  if (made.ok) {
    await end(work, sought, made.value);
    return success({ done: made.value, wasDone: false });
  }
  // Of one that GitHub did not answer nobody knows: the sweep looks.
  if (made.refusal.code !== "github_unreachable") {
    await end(work, sought, null);
    await deps.matching.forgetPush([mark], run.cause).catch(() => {});
  }
  return made;
}

/** @param done null where it was not done. */
async function end({ lease, deps }: GithubWork, { id }: SoughtDeed, done: DoneDeed | null): Promise<void> {
  try {
    await deps.ownerOf(lease.run_id).endDeed(lease, id, done);
  } catch (error) {
    // The sweep finds it at GitHub, and tells.
    logTrouble("github_deed_not_told", { run_id: lease.run_id }, error);
    return;
  }
  await deps.begunPushes.end(keyOf(id)).catch(() => {});
}

/** How it is called among what was begun. */
function keyOf(id: string): string {
  return `deed ${id}`;
}

/** By its mark an event of it is known; should nothing be heard of it, the sweep looks at GitHub. */
async function note(work: GithubWork, place: GithubPlace, mark: string, sought: SoughtDeed): Promise<boolean> {
  const { deps, run, lease } = work;
  const now = Date.now();
  const { number, url } = place;
  const begun = { id: keyOf(sought.id), begunAtMs: now, lease, number, url, branches: [], taken: [], tries: 0 };
  const noted = Promise.all([
    deps.matching.notePush([mark], run.cause, now),
    deps.begunPushes.begin({ ...begun, deed: sought }, now + LOOK_AFTER_MS),
  ]);
  try {
    await withinDeadline(noted, NOTE_MS, "the index");
    return true;
  } catch (error) {
    logTrouble("github_deed_unnoted", { run_id: lease.run_id }, error);
    return false;
  }
}

async function idOf(runId: string, { number }: GithubPlace, { kind, content }: Deed): Promise<string> {
  const of = content === null ? crypto.randomUUID() : content;
  const bytes = new TextEncoder().encode(JSON.stringify([runId, number, kind, of]));
  return toHex(new Uint8Array(await crypto.subtle.digest("SHA-256", bytes))).slice(0, ID_LENGTH);
}
