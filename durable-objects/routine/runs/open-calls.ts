/**
 * Model calls that were made and whose usage has not been told yet: they are under way, or were cut off together with the
 * worker. A call whose usage was told is removed, so that telling it a second time counts nothing.
 */
import type { Tokens } from "#protocol/run.ts";
import { UNDER_WAY_MS } from "#rules/run/budget.ts";
import type { Tx } from "../work.ts";

const NO_TOKENS: Tokens = { input_tokens: 0, output_tokens: 0, cache_read_tokens: 0, cache_write_tokens: 0 };

/** A call that is about to be made. */
export interface NewCall {
  runId: string;
  call: number;
  /** As `CallPrice` has them. */
  model: string;
  factor: number;
  /** What it may cost at most, in US dollars. */
  reserved: number;
}

export interface OpenCall extends Pick<NewCall, "model" | "factor" | "reserved"> {
  /** What of it has been counted so far. */
  counted: Tokens;
  /** When it began, in Unix milliseconds. */
  atMs: number;
}

/** What open calls may cost at most, in US dollars. */
export interface Reserved {
  underWay: number;
  /** Of calls that nobody waits for any more. */
  lost: number;
}

export class OpenCalls {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  open(tx: Tx, { runId, call, model, factor, reserved }: NewCall): void {
    tx.sql.exec(OPEN, runId, call, JSON.stringify(NO_TOKENS), model, factor, reserved, tx.nowMs);
  }

  /** @returns what of the call has been counted so far; null when it is not open. */
  counted(runId: string, call: number): Tokens | null {
    return openCall(this.#sql.exec<CallRow>(FIND, runId, call).toArray())?.counted ?? null;
  }

  /** Notes how much of the call's usage has been counted. */
  count(tx: Tx, runId: string, call: number, tokens: Tokens): void {
    tx.sql.exec(COUNT, JSON.stringify(tokens), runId, call);
  }

  /** @returns the call as it was; null when it was not open. */
  close(tx: Tx, runId: string, call: number): OpenCall | null {
    return openCall(tx.sql.exec<CallRow>(CLOSE, runId, call).toArray());
  }

  /** What a run's calls have reserved that are open. */
  ofRun(runId: string, nowMs: number): Reserved {
    return this.#sql.exec<ReservedRow>(OF_RUN, nowMs - UNDER_WAY_MS, runId).one();
  }

  /** The same of all the routine's calls that began since a moment. */
  since(sinceMs: number, nowMs: number): Reserved {
    return this.#sql.exec<ReservedRow>(SINCE, nowMs - UNDER_WAY_MS, sinceMs).one();
  }
}

type ReservedRow = Reserved & Record<string, SqlStorageValue>;
interface CallRow extends Record<string, SqlStorageValue> {
  tokens: string;
  model: string;
  factor: number;
  reserved: number;
  at: number;
}

function openCall([row]: CallRow[]): OpenCall | null {
  if (row === undefined) return null;
  const { tokens, model, factor, reserved, at } = row;
  return { counted: JSON.parse(tokens) as Tokens, model, factor, reserved, atMs: at };
}

const COLUMNS = "tokens, model, factor, reserved, at";
const OPEN = `INSERT INTO open_model_calls (run_id, call, ${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)`;
const FIND = `SELECT ${COLUMNS} FROM open_model_calls WHERE run_id = ? AND call = ?`;
const COUNT = "UPDATE open_model_calls SET tokens = ? WHERE run_id = ? AND call = ?";
const CLOSE = `DELETE FROM open_model_calls WHERE run_id = ? AND call = ? RETURNING ${COLUMNS}`;
const SUMS = `SELECT TOTAL(CASE WHEN is_new THEN reserved END) AS underWay, TOTAL(CASE WHEN NOT is_new THEN reserved END) AS lost
  FROM (SELECT reserved, at > ? AS is_new FROM open_model_calls WHERE`;
const OF_RUN = `${SUMS} run_id = ?)`;
const SINCE = `${SUMS} at >= ?)`;
