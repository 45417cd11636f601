/**
 * What a run writes at GitHub: noted by its object and by a mark before GitHub is asked, looked for where an earlier call's answer
 * was lost, and recorded before the agent hears of it.
 */
import { toHex } from "#instance/attempt-token.ts";
import { withinDeadline } from "#instance/in-time.ts";
import { type Result, refuse, success } from "#protocol/errors.ts";
import type { DeedKind, DoneDeed } from "#protocol/github-deed.ts";
import { logTrouble } from "#protocol/log.ts";
import { deedMark, marked } from "#rules/run/deed-marker.ts";
import type { GithubPlace, GithubWork } from "./github-work.ts";

/** How long the index may take to note a mark. */
const NOTE_MS = 10_000;
/** Hex digits of a deed's id. */
const ID_LENGTH = 32;
/** GitHub's clock and the instance's differ by less. */
const CLOCKS_MS = 120_000;

export interface Deed {
  kind: DeedKind;
  /** The branch that a pull request is from; null for every other deed. */
  branch: string | null;
  /** What tells it from the run's other deeds; null where GitHub itself, or its nature, lets it happen once. */
  content: unknown;
  /** Looks whether an earlier call has done it. @param deedId stands in its marker. @param since RFC 3339. */
  find(deedId: string, since: string): Promise<Result<DoneDeed | null>>;
  /** @param mark puts its marker behind a text. */
  make(mark: (text: string) => string): Promise<Result<DoneDeed>>;
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
  const deedId = await idOf(lease.run_id, place, deed);
  const begun = await owner.beginDeed(lease, {
    id: deedId,
    kind: deed.kind,
    number: place.number,
    branch: deed.branch,
  });
  if (!begun.ok) return begun;
  if (begun.value.state === "done") return success({ done: begun.value.done, wasDone: true });
  const mark = deedMark(place.key, deedId);
  const end = async (done: DoneDeed | null) => {
    try {
      await owner.endDeed(lease, deedId, done);
    } catch (error) {
      // Asked for again, it is found at GitHub.
      logTrouble("github_deed_not_told", { run_id: lease.run_id }, error);
    }
  };
  const notedAs = await noteMark(work, mark);
  if (!notedAs) {
    await end(null);
    const reason = "it was not sent, because it could not be noted: try again soon";
    return refuse("index_behind", { message: `This is for now: ${reason}.`, reason });
  }
  if (begun.value.state === "look") {
    const since = new Date(begun.value.sinceMs - CLOCKS_MS).toISOString();
    const found = await deed.find(deedId, since);
    if (!found.ok || found.value !== null) await end(found.ok ? found.value : null);
    if (!found.ok) return found;
    if (found.value !== null) return success({ done: found.value, wasDone: true });
  }
  const of = { sessionId: run.session_id, runId: lease.run_id, deedId };
  const made = await deed.make((text) => marked(text, of));
  await end(made.ok ? made.value : null);
  if (made.ok) return success({ done: made.value, wasDone: false });
  // Of one that GitHub did not answer nobody knows.
  if (made.refusal.code !== "github_unreachable") {
    await deps.matching.forgetPush([mark], run.cause).catch(() => {});
  }
  return made;
}

async function noteMark({ deps, run, lease }: GithubWork, mark: string): Promise<boolean> {
  try {
    await withinDeadline(deps.matching.notePush([mark], run.cause, Date.now()), NOTE_MS, "the index");
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
