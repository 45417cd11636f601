/** What a fire hears that is made again because its first answer was lost. */
import { type Result, refuse, success } from "#protocol/errors.ts";
import type { Admission, Occurrence, Wake } from "#protocol/occurrence.ts";
import type { AdmissionContext } from "./admission-context.ts";
import { reasonOf, refuseSkipped, retryAfter } from "./admit.ts";
import { keyOf } from "./wake-keys.ts";

/** The answer to a fire that is made again because its first answer was lost. */
export function answerAgain({ occurrences, runs }: AdmissionContext, event: Wake, of: Occurrence): Result<Admission> {
  const duplicate = of.outcome === "duplicate";
  const run = of.run_id === null ? null : runs.get(of.run_id);
  const key = duplicate ? event.dedupe_key : null;
  const first = (key === null ? null : occurrences.findKey(keyOf(event, key)))?.occurrence ?? of;
  const { id } = first;
  if (run !== null) return success({ occurrence_id: id, run_id: run.id, session_id: run.sessionId, duplicate });
  const refused = REFUSALS.find((code) => code === of.reason);
  if (refused === undefined) return refuseSkipped(first);
  return refuse(refused, { occurrence_id: id, ...reasonOf(first), ...retryAfter(refused) });
}

/** Reasons of occurrences that are refused by name. */
const REFUSALS = [
  "routine_paused",
  "paused_after_failures",
  "model_not_configured",
  "budget",
  "gate_failed",
  "idempotency_key_reused",
] as const;
