/** Which hosts a run has asked for, how often, and with how many bytes. */
import { HOST_LENGTH, type HostUse } from "#protocol/host-use.ts";

/** So many rows of hosts that were allowed, and as many of hosts that were denied: neither hides the other. */
const ROWS_OF_EACH = 100;
/** The host of the row that stands for all others of its kind, and for what is no name of a host. */
export const ALL_OTHERS = "*";

export class HostTally {
  readonly #rows = new Map<string, HostUse>();

  constructor(rows: readonly HostUse[] = []) {
    for (const row of rows) this.add(row);
  }

  /** Adds to what has been counted of the host. */
  add({ host, allowed, requests, bytes_sent, bytes_received }: HostUse): void {
    const row = this.#rowOf(host, allowed);
    row.requests = sum(row.requests, requests);
    row.bytes_sent = sum(row.bytes_sent, bytes_sent);
    row.bytes_received = sum(row.bytes_received, bytes_received);
  }

  /** Those that were asked for first at the beginning. */
  get rows(): HostUse[] {
    return [...this.#rows.values()].map((row) => ({ ...row }));
  }

  #rowOf(asked: string, allowed: boolean): HostUse {
    const host = asked === "" || asked.length > HOST_LENGTH ? ALL_OTHERS : asked;
    const known = this.#rows.get(`${allowed} ${host}`);
    if (known !== undefined) return known;
    const count = [...this.#rows.values()].filter((row) => row.allowed === allowed).length;
    if (host !== ALL_OTHERS && count >= ROWS_OF_EACH - 1) return this.#rowOf(ALL_OTHERS, allowed);
    const row = { host, allowed, requests: 0, bytes_sent: 0, bytes_received: 0 };
    this.#rows.set(`${allowed} ${host}`, row);
    return row;
  }
}

/** A program can announce bodies of any length. */
function sum(one: number, other: number): number {
  return Math.min(one + other, Number.MAX_SAFE_INTEGER);
}
