/** How the app reads stretches of a session's transcript. */
import type { Page } from "#protocol/api.ts";
import type { TranscriptEvent } from "#protocol/transcript.ts";
import { listSessionEvents } from "../client/generated.ts";
import type { ReadEvents } from "./read-events.ts";

export function readSessionEvents(sessionId: string): ReadEvents {
  // The generator writes the type of any JSON in another way than the schema does.
  return async (after, limit) => (await listSessionEvents(sessionId, { after, limit })) as Page<TranscriptEvent>;
}
