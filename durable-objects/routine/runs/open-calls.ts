/**
 * Model calls that were made and whose usage has not been told yet: they are under way, or were cut off together with the
 * worker. A call whose usage was told is removed, so that telling it a second time counts nothing.
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

  /** Notes how much of the call's usage has been counted. */
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
