/** How long the instance keeps what it has: nothing is wrong with any of it, but people want to know. */
import type { Config } from "#instance/config.ts";
import type { Finding } from "#protocol/diagnosis.ts";
import { well } from "./finding.ts";

const DAY_MS = 24 * 3_600_000;

export function keepFindings({ keep }: Pick<Config, "keep">): Finding[] {
  const days = (ms: number) => `${ms / DAY_MS} days`;
  const message = `Sessions are kept for ${days(keep.forMs)} after their last run, ${keep.runs} runs of a routine at most; files that they show ${days(keep.filesForMs)}, deliveries ${days(keep.deliveriesForMs)}. Transcripts go to R2 after ${days(keep.transcriptsHereForMs)}.`;
  return [well("KEEP_DAYS", message)];
}
