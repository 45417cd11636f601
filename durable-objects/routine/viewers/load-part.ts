/** Asks R2 for what viewers wait for. */
import { logTrouble } from "#protocol/log.ts";
import type { TranscriptLog } from "../transcript/transcript-log.ts";

/** How often; then viewers are sent away, dial again, and go on where they were. */
const TRIES = 3;
const PAUSE_MS = 500;

/** @returns whether it is there. Never rejects. */
export async function loadPart(log: Pick<TranscriptLog, "load">, sessionId: string, key: string): Promise<boolean> {
  for (let tries = 1; ; tries += 1) {
    try {
      await log.load(key);
      return true;
    } catch (error) {
      logTrouble("transcript_not_read", { session_id: sessionId, key }, error);
      if (tries >= TRIES) return false;
      await scheduler.wait(PAUSE_MS);
    }
  }
}
