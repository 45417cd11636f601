/**
 * Conversations in the object's SQLite: pieces come as the agent goes on, and are what a later run of the session begins with.
 * Older parts are moved to R2 (`receivers/to-conversations.ts`).
 */
import { CONVERSATION_PIECE, type ConversationPiece, type Resume, type WorkspaceKept } from "#protocol/conversation.ts";
import type { LeaseRef } from "#protocol/runner-link.ts";
import { byteLength } from "#protocol/transcript.ts";
import type { Outbox } from "../outbox/outbox.ts";
import type { Draft, Remembered, RememberedEach, Tx, Work } from "../work.ts";
import { type Conversation, type ConversationRow, conversationOf, type Part } from "./stored-conversation.ts";

interface Pending {
  next: Conversation;
  /** Not written yet. */
  parts: { file: string; text: string }[];
}

type Values = Record<string, SqlStorageValue>;
/** Rows that are kept in memory at most. */
const ROWS_KEPT = 64;
/** With more than this here, parts go to R2: while a run is on, and once none is. An object has room for few conversations. */
const LOOSE_BYTES = { on: 524_288, off: 16_384 } as const;
/** What is read of a conversation at once, in bytes. */
const READ_BYTES = 1_000_000;

export class Conversations {
  readonly #sql: SqlStorage;
  readonly #work: Work;
  readonly #outbox: Outbox;
  readonly #keptForMs: number;
  readonly #rows: RememberedEach<Conversation>;
  /** By session, what the open transaction has taken in so far. */
  readonly #pending: Draft<Map<string, Pending>>;
  readonly #earliest: Remembered<number | null>;

  /** @param keptForMs after the last run of their session. */
  constructor(sql: SqlStorage, work: Work, outbox: Outbox, keptForMs: number) {
    this.#keptForMs = keptForMs;
    this.#sql = sql;
    this.#work = work;
    this.#outbox = outbox;
    this.#rows = work.rememberEach((sessionId) => this.#read(sessionId), ROWS_KEPT);
    this.#pending = work.draft(() => new Map());
    this.#earliest = work.remember(() => sql.exec<{ at: number | null }>(EARLIEST).one().at);
    work.last((tx) => this.#write(tx));
  }

  /** What a new attempt of the session's goes on from, but for what its transcript tells; null where it begins anew. */
  resume(sessionId: string): Omit<Resume, "calls"> | null {
    const row = this.#rows.get(sessionId);
    if (row === null || row.keptN === 0) return null;
    const files = this.#files(sessionId, row).map(({ file, bytes }) => ({ file: file === "" ? null : file, bytes }));
    if (row.workspace === null) return { sdk_version: row.sdkVersion, files, workspace: null };
    const { key: _key, n, ...kept } = row.workspace;
    return { sdk_version: row.sdkVersion, files, workspace: { ...kept, is_latest: n === row.keptN } };
  }

  /** Takes in a piece that an attempt has sent: the first one of an attempt drops what one before had said in vain. */
  add(tx: Tx, sessionId: string, lease: LeaseRef, { file, text, sdk_version }: ConversationPiece): void {
    const pending = this.#pendingOf(tx, sessionId, lease, sdk_version);
    const name = file ?? "";
    const last = pending.parts.at(-1);
    if (last?.file === name && last.text.length + text.length <= CONVERSATION_PIECE) last.text += text;
    else pending.parts.push({ file: name, text });
  }

  /** The workspace of an attempt lies in R2, whole. What was kept before is forgotten. */
  keepWorkspace(tx: Tx, sessionId: string, key: string, kept: WorkspaceKept): void {
    this.#write(tx);
    const row = this.#rows.get(sessionId);
    // Without a conversation nobody goes on from it.
    if (row === null) return;
    this.#save(tx, sessionId, { ...row, workspace: { ...kept, key, n: row.lastN } });
    this.#outbox.owe(tx, "tidy_conversation", sessionId);
  }

  /** Where the kept workspace lies. */
  workspaceKey(sessionId: string): string | null {
    const workspace = this.#rows.get(sessionId)?.workspace ?? null;
    return workspace === null || workspace.archive === null ? null : workspace.key;
  }

  /** A run has ended, or waits: later ones go on from what there is now. */
  settle(tx: Tx, sessionId: string): void {
    this.#write(tx);
    const row = this.#rows.get(sessionId);
    if (row === null) return;
    this.#save(tx, sessionId, { ...row, keptN: row.lastN, expiresAt: tx.nowMs + this.#keptForMs });
    if (row.looseBytes >= LOOSE_BYTES.off) this.#outbox.owe(tx, "move_conversation", sessionId);
  }

  /** The kept parts of a file, by its place in `files`, after this one. @returns null where there is no such file. */
  read(sessionId: string, number: number, after: number): Part[] | null {
    const row = this.#rows.get(sessionId);
    const file = row === null ? undefined : this.#files(sessionId, row)[number]?.file;
    if (row === null || file === undefined) return null;
    const parts: Part[] = [];
    let bytes = 0;
    for (const part of this.#sql.exec<Values & Part>(READ_FILE, sessionId, file, after, row.keptN)) {
      bytes += part.body === null ? 0 : part.bytes;
      if (parts.length > 0 && bytes > READ_BYTES) break;
      parts.push(part);
    }
    return parts;
  }

  /**
   * The oldest parts of one file that are here and can lie in R2 together, while there is more here than should be.
   * @param limitBytes what they are together at most, but for a single one.
   */
  movable(sessionId: string, limitBytes: number): Part[] {
    const row = this.#rows.get(sessionId);
    const most = row?.lastN === row?.keptN ? LOOSE_BYTES.off : LOOSE_BYTES.on;
    if (row === null || row.looseBytes < most) return [];
    const parts: Part[] = [];
    let bytes = 0;
    for (const part of this.#sql.exec<Values & Part>(READ_LOOSE, sessionId)) {
      const [first] = parts;
      bytes += part.bytes;
      const isTogether = first === undefined || first.n <= row.keptN === part.n <= row.keptN;
      if (!isTogether || (first !== undefined && bytes > limitBytes)) break;
      parts.push(part);
    }
    return parts;
  }

  /** They lie in R2 together. Where one of them has been dropped meanwhile, nothing changes, and what was written is nobody's. */
  moved(tx: Tx, sessionId: string, parts: readonly Part[], key: string): void {
    const row = this.#rows.get(sessionId);
    const [first] = parts;
    const numbers = JSON.stringify(parts.map(({ n }) => n));
    const { count } = this.#sql.exec<{ count: number }>(COUNT_LOOSE, sessionId, numbers).one();
    if (row === null || first === undefined || count !== parts.length) {
      this.#outbox.owe(tx, "tidy_conversation", sessionId);
      return;
    }
    const bytes = parts.reduce((sum, part) => sum + part.bytes, 0);
    tx.sql.exec(REMOVE, sessionId, numbers);
    tx.sql.exec(ADD, sessionId, first.n, first.file, bytes, null, key);
    this.#save(tx, sessionId, { ...row, looseBytes: row.looseBytes - bytes });
  }

  /** All keys of the session's in R2. */
  keys(sessionId: string): Set<string> {
    const rows = this.#sql.exec<{ key: string }>(KEYS, sessionId).toArray();
    const workspace = this.workspaceKey(sessionId);
    return new Set([...rows.map(({ key }) => key), ...(workspace === null ? [] : [workspace])]);
  }

  /** Forgets the session's conversation and workspace, and owes it to R2. */
  drop(tx: Tx, sessionId: string): void {
    tx.sql.exec("DELETE FROM conversation_parts WHERE session_id = ?", sessionId);
    tx.sql.exec("DELETE FROM conversations WHERE session_id = ?", sessionId);
    this.#rows.forget(sessionId);
    this.#earliest.forget();
    this.#outbox.owe(tx, "tidy_conversation", sessionId);
  }

  /** When the first one is old enough to be forgotten, in Unix milliseconds, or before it; null where there is none. */
  next(): number | null {
    return this.#earliest.get();
  }

  /** Forgets those that are too old. @param isOn whether a run of the session has not settled: then it is kept on. */
  forgetOld(nowMs: number, isOn: (sessionId: string) => boolean): void {
    const due = this.#sql.exec<{ session_id: string }>(DUE, nowMs, DUE_AT_ONCE).toArray();
    this.#work.change((tx) => {
      for (const { session_id: sessionId } of due) {
        const row = this.#rows.get(sessionId);
        if (row !== null && isOn(sessionId)) {
          this.#save(tx, sessionId, { ...row, expiresAt: tx.nowMs + this.#keptForMs });
        } else this.drop(tx, sessionId);
      }
    });
    this.#earliest.forget();
  }

  #files(sessionId: string, { keptN }: Conversation): { file: string; bytes: number }[] {
    return this.#sql.exec<{ file: string; bytes: number }>(FILES, sessionId, keptN).toArray();
  }

  #pendingOf(tx: Tx, sessionId: string, lease: LeaseRef, sdkVersion: string): Pending {
    const pending = this.#pending.of(tx);
    const before = pending.get(sessionId);
    if (before !== undefined) return before;
    const { run_id: runId, generation: attempt } = lease;
    const row = this.#rows.get(sessionId);
    const isAnother = row !== null && (row.runId !== runId || row.attempt !== attempt);
    const kept = row !== null && isAnother ? this.#dropVain(tx, sessionId, row) : row;
    const fresh = { lastN: 0, keptN: 0, looseBytes: 0, expiresAt: tx.nowMs + this.#keptForMs, workspace: null };
    const made = { next: { ...(kept ?? fresh), sdkVersion, runId, attempt }, parts: [] };
    pending.set(sessionId, made);
    return made;
  }

  /** What an attempt has said that is made again is no part of the conversation. */
  #dropVain(tx: Tx, sessionId: string, row: Conversation): Conversation {
    const gone = tx.sql.exec<{ loose: number; key: string | null }>(DROP_AFTER, sessionId, row.keptN).toArray();
    if (gone.some(({ key }) => key !== null)) this.#outbox.owe(tx, "tidy_conversation", sessionId);
    return { ...row, looseBytes: row.looseBytes - gone.reduce((sum, { loose }) => sum + loose, 0) };
  }

  /** Stores what was taken in. */
  #write(tx: Tx): void {
    const pending = this.#pending.peek();
    if (pending === null) return;
    for (const [sessionId, { next, parts }] of pending) {
      const row = { ...next };
      for (const { file, text } of parts) {
        const bytes = byteLength(text);
        row.lastN += 1;
        row.looseBytes += bytes;
        tx.sql.exec(ADD, sessionId, row.lastN, file, bytes, text, null);
      }
      if (row.looseBytes >= LOOSE_BYTES.on) this.#outbox.owe(tx, "move_conversation", sessionId);
      this.#save(tx, sessionId, row);
    }
    pending.clear();
  }

  #save(tx: Tx, sessionId: string, row: Conversation): void {
    const { sdkVersion, runId, attempt, lastN, keptN, looseBytes, expiresAt, workspace } = row;
    const earliest = Math.min(this.#earliest.get() ?? expiresAt, expiresAt);
    const stored = workspace === null ? null : JSON.stringify(workspace);
    const values = [sdkVersion, runId, attempt, lastN, keptN, looseBytes, stored] as const;
    // Named only when it changes: SQLite writes the indexes of every column that is named.
    if (this.#rows.get(sessionId)?.expiresAt === expiresAt) tx.sql.exec(CHANGE, ...values, sessionId);
    else tx.sql.exec(SAVE, ...values, expiresAt, sessionId);
    this.#rows.set(tx, sessionId, row);
    this.#earliest.set(tx, earliest);
  }

  #read(sessionId: string): Conversation | null {
    const [row] = this.#sql.exec<ConversationRow>(CONVERSATION, sessionId).toArray();
    return row === undefined ? null : conversationOf(row);
  }
}

/** How many are forgotten at one ring of the alarm; the rest follow a moment later. */
const DUE_AT_ONCE = 100;
const CONVERSATION = "SELECT * FROM conversations WHERE session_id = ?";
const EARLIEST = "SELECT MIN(expires_at) AS at FROM conversations";
const DUE = "SELECT session_id FROM conversations WHERE expires_at <= ? ORDER BY expires_at LIMIT ?";
const FILES = `SELECT file, SUM(bytes) AS bytes FROM conversation_parts WHERE session_id = ? AND n <= ?
  GROUP BY file ORDER BY file`;
const PART = "n, file, bytes, body, key";
const READ_FILE = `SELECT ${PART} FROM conversation_parts
  WHERE session_id = ? AND file = ? AND n > ? AND n <= ? ORDER BY n`;
/** Of the file that has the oldest one. */
const READ_LOOSE = `SELECT ${PART} FROM conversation_parts WHERE session_id = ?1 AND body IS NOT NULL
  AND file = (SELECT file FROM conversation_parts WHERE session_id = ?1 AND body IS NOT NULL ORDER BY n LIMIT 1)
  ORDER BY n`;
const IS_NAMED = "session_id = ? AND body IS NOT NULL AND n IN (SELECT value FROM json_each(?))";
const COUNT_LOOSE = `SELECT COUNT(*) AS count FROM conversation_parts WHERE ${IS_NAMED}`;
const REMOVE = `DELETE FROM conversation_parts WHERE ${IS_NAMED}`;
const KEYS = "SELECT key FROM conversation_parts WHERE session_id = ? AND key IS NOT NULL";
const ADD = "INSERT INTO conversation_parts (session_id, n, file, bytes, body, key) VALUES (?, ?, ?, ?, ?, ?)";
const DROP_AFTER = `DELETE FROM conversation_parts WHERE session_id = ? AND n > ?
  RETURNING iif(body IS NULL, 0, bytes) AS loose, key`;
const SAVE = `INSERT OR REPLACE INTO conversations
  (sdk_version, run_id, attempt, last_n, kept_n, loose_bytes, workspace, expires_at, session_id)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`;
const CHANGE = `UPDATE conversations SET sdk_version = ?, run_id = ?, attempt = ?, last_n = ?, kept_n = ?, loose_bytes = ?,
  workspace = ? WHERE session_id = ?`;
