/**
 * Model calls that have been made and of which nobody has told yet what they used. A call that stays here was cut off with
 * the worker that made it, or is under way; once it has been told it is gone, so that a second time counts nothing.
 */
import type { Tokens } from "#protocol/run.ts";
import type { Tx } from "../work.ts";

const NO_TOKENS: Tokens = { input_tokens: 0, output_tokens: 0, cache_read_tokens: 0, cache_write_tokens: 0 };

export class OpenCalls {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  open(tx: Tx, runId: string, call: number): void {
    tx.sql.exec(OPEN, runId, call, JSON.stringify(NO_TOKENS));
  }

  /** @returns what of the call has been counted so far; null when it is not open. */
  counted(runId: string, call: number): Tokens | null {
    return tokensOf(this.#sql.exec<CallRow>(FIND, runId, call).toArray());
  }

  /** This much of the call is counted now. */
  count(tx: Tx, runId: string, call: number, tokens: Tokens): void {
    tx.sql.exec(COUNT, JSON.stringify(tokens), runId, call);
  }

  /** @returns what of the call had been counted; null when it was not open. */
  close(tx: Tx, runId: string, call: number): Tokens | null {
    return tokensOf(tx.sql.exec<CallRow>(CLOSE, runId, call).toArray());
  }
}

interface CallRow extends Record<string, SqlStorageValue> {
  tokens: string;
}

function tokensOf([row]: CallRow[]): Tokens | null {
  return row === undefined ? null : (JSON.parse(row.tokens) as Tokens);
}

const OPEN = "INSERT INTO open_model_calls (run_id, call, tokens) VALUES (?, ?, ?)";
const FIND = "SELECT tokens FROM open_model_calls WHERE run_id = ? AND call = ?";
const COUNT = "UPDATE open_model_calls SET tokens = ? WHERE run_id = ? AND call = ?";
const CLOSE = "DELETE FROM open_model_calls WHERE run_id = ? AND call = ? RETURNING tokens";
