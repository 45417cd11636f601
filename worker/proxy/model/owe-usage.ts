/**
 * What a model call used, told before the sandbox has its answer's last byte: to the run's object, else to a queue that
 * goes on telling it. The object counts a call once, however often it is told.
 */
import { withinDeadline } from "#instance/in-time.ts";
import { logEvent, logTrouble } from "#protocol/log.ts";
import type { ModelUsage } from "#protocol/model-usage.ts";
import type { RoutineStub } from "#worker/bindings.ts";

/** The last piece of an answer waits so long for the object, and then so long for the queue. */
const TELL_MS = 2_000;
/** The deadline of a call that the queue brings about: nobody waits for it, so it may be long. */
const TELL_AGAIN_MS = 15_000;
const FIRST_WAIT_S = 5;
const LONGEST_WAIT_S = 3_600;
/** The waits between this many tries add up to a day. */
const TRIES = 33;

export interface OweDeps {
  ownerOf(id: string): Pick<RoutineStub, "endModelCall">;
  /** Resolves when the message can't be lost any more. */
  sendUsage(usage: ModelUsage): Promise<void>;
}

/**
 * @returns what has become of it: `metered`, or `owed` when the queue has it; `refused` when the object has no such call.
 * @throws Error when neither has taken it in: then the answer must not reach its end.
 */
export async function oweUsage(
  { ownerOf, sendUsage }: OweDeps,
  usage: ModelUsage,
): Promise<"metered" | "owed" | "refused"> {
  try {
    return await tell({ ownerOf }, usage, TELL_MS);
  } catch (error) {
    logTrouble("usage_not_told", factsOf(usage), error);
  }
  await withinDeadline(sendUsage(usage), TELL_MS, "the queue").catch((error: unknown) => {
    lose(usage, error);
    throw error;
  });
  return "owed";
}

/** One try of the queue's. @param attempt from 1 on. @returns after how many seconds it is to come again; null when never. */
export async function tellOwedUsage(
  { ownerOf }: Pick<OweDeps, "ownerOf">,
  usage: ModelUsage,
  attempt: number,
): Promise<number | null> {
  try {
    const outcome = await tell({ ownerOf }, usage, TELL_AGAIN_MS);
    logEvent("usage_counted", { ...factsOf(usage), outcome });
    return null;
  } catch (error) {
    if (attempt < TRIES) {
      logTrouble("usage_not_told", factsOf(usage), error);
      return Math.min(LONGEST_WAIT_S, FIRST_WAIT_S * 2 ** (attempt - 1));
    }
    lose(usage, error);
    return null;
  }
}

async function tell({ ownerOf }: Pick<OweDeps, "ownerOf">, usage: ModelUsage, ms: number) {
  const { lease, call, tokens, is_part: isPart = false } = usage;
  const answer = await withinDeadline(
    ownerOf(lease.run_id).endModelCall(lease, call, tokens, isPart),
    ms,
    "the routine",
  );
  if (answer.ok) return "metered";
  // The object knows no such call, and never will. Every other refusal passes: a table that is not up to date, perhaps.
  if (answer.refusal.code === "proxy_token_refused") return "refused";
  throw new Error(answer.refusal.code);
}

/** The tokens are in this line and nowhere else; the run says that a call of its is not metered. */
function lose(usage: ModelUsage, error: unknown): void {
  logTrouble("usage_lost", { ...factsOf(usage), ...usage.tokens }, error);
}

function factsOf({ lease, call }: ModelUsage) {
  return { ...lease, call };
}
