/** Why a run waits in the queue, from the occurrence that started it. */
import { useQuery } from "@tanstack/react-query";
import type { OutcomeReason } from "#protocol/occurrence.ts";
import type { Run } from "#protocol/run.ts";
import { listOccurrences } from "../client/generated.ts";

const REASONS: Partial<Record<OutcomeReason, string>> = {
  at_max_concurrent: "As many runs of this routine are on as it allows. It starts when one of them has ended.",
  overlap_queue: "Another run of this routine is on, and they run one at a time.",
  overlap_queue_latest: "Another run of this routine is on. It starts after that, unless a newer one takes its place.",
  overlap_cancel_running: "The run that was on is canceled first.",
};
/** The occurrence is among the newest ones for as long as its run waits, unless very much has happened since. */
const NEWEST = 200;

/** @returns null while it is not known, and for a run that does not wait. */
export function useWaitReason(run: Run | undefined): string | null {
  const isWaiting = run?.status === "queued";
  const { data } = useQuery({
    queryKey: ["wait", run?.id],
    queryFn: () => listOccurrences(run?.routine_id ?? "", { limit: NEWEST }),
    enabled: isWaiting && run.attempt === 1,
    staleTime: Number.POSITIVE_INFINITY,
  });
  if (!isWaiting) return null;
  if (run.attempt > 1) return "The attempt before failed before the model was called. It starts again after a pause.";
  const occurrence = data?.data.find(({ id }) => id === run.trigger.occurrence_id);
  return occurrence === undefined ? null : (REASONS[occurrence.reason] ?? null);
}
