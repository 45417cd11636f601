/** Where conversations and workspaces lie in R2. */
import type { LeaseRef } from "#protocol/runner-link.ts";

/** Of all sessions of a routine, or of one. */
export function conversationFolder(routineId: string, sessionId?: string): string {
  return `conversations/${routineId}/${sessionId === undefined ? "" : `${sessionId}/`}`;
}

/** Of parts from this number to that one. */
export function partsKey(routineId: string, sessionId: string, first: number, last: number): string {
  return `${conversationFolder(routineId, sessionId)}parts/${first}-${last}.jsonl.gz`;
}

/** Of the workspace that an attempt leaves. */
export function workspaceKey(routineId: string, sessionId: string, { run_id, generation }: LeaseRef): string {
  return `${conversationFolder(routineId, sessionId)}workspaces/${run_id}.${generation}.tar`;
}
