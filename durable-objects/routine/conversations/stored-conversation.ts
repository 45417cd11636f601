/** A session's conversation and its parts, as rows tell. */
import type { StoredWorkspace } from "../session-tables.ts";

/** A part as it is stored. */
export interface Part {
  n: number;
  file: string;
  bytes: number;
  body: string | null;
  key: string | null;
}

export interface Conversation {
  sdkVersion: string;
  runId: string;
  attempt: number;
  lastN: number;
  keptN: number;
  looseBytes: number;
  expiresAt: number;
  workspace: StoredWorkspace | null;
}

export type ConversationRow = Record<string, SqlStorageValue> & {
  sdk_version: string;
  run_id: string;
  attempt: number;
  last_n: number;
  kept_n: number;
  loose_bytes: number;
  expires_at: number;
  workspace: string | null;
};

export function conversationOf(row: ConversationRow): Conversation {
  return {
    sdkVersion: row.sdk_version,
    runId: row.run_id,
    attempt: row.attempt,
    lastN: row.last_n,
    keptN: row.kept_n,
    looseBytes: row.loose_bytes,
    expiresAt: row.expires_at,
    workspace: row.workspace === null ? null : (JSON.parse(row.workspace) as StoredWorkspace),
  };
}
