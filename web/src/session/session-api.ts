/** The one call that only this page makes: a piece of a transcript. */
import type { Page } from "#protocol/api.ts";
import type { ErrorBody } from "#protocol/errors.ts";
import type { TranscriptEvent } from "#protocol/transcript.ts";
import { setAccess } from "../access.ts";
import { refused, unreachable, unreadable } from "../problem.ts";

/** Events after a seq, oldest first; fewer than `limit` may come. @throws Problem */
export async function readEvents(sessionId: string, after: number, limit: number): Promise<Page<TranscriptEvent>> {
  const path = `/api/v1/sessions/${encodeURIComponent(sessionId)}/events?after=${after}&limit=${limit}`;
  const response = await fetch(path).catch(() => {
    throw unreachable();
  });
  const answer: unknown = await response.json().catch(() => {
    throw unreadable(response.status);
  });
  if (response.ok) return answer as Page<TranscriptEvent>;
  if (response.status === 401) setAccess("signed-out");
  throw refused(response.status, answer as ErrorBody);
}
