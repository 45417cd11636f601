/** Which hosts each run has asked for. Apart from the run itself, which is written anew at each step and copied to the index. */
import { type HostUse, hostUsesSchema } from "#protocol/host-use.ts";
import { HostTally } from "#rules/network/host-tally.ts";
import type { Tx } from "../work.ts";

export class AskedHosts {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /** Adds to what has been counted: of several attempts, and of several parts of one. */
  add(tx: Tx, runId: string, rows: readonly HostUse[]): void {
    if (rows.length === 0) return;
    const tally = new HostTally(this.of(runId));
    for (const row of rows) tally.add(row);
    tx.sql.exec(PUT, runId, JSON.stringify(tally.rows));
  }

  of(runId: string): HostUse[] {
    const [row] = this.#sql.exec<{ hosts: string }>(FIND, runId).toArray();
    return row === undefined ? [] : hostUsesSchema.parse(JSON.parse(row.hosts));
  }
}

const PUT = "INSERT OR REPLACE INTO asked_hosts (run_id, hosts) VALUES (?, ?)";
const FIND = "SELECT hosts FROM asked_hosts WHERE run_id = ?";
