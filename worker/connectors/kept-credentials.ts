/**
 * Credentials of connectors for attempts that are on, as this isolate has read them: an agent calls a tool every few seconds, and
 * its secrets are not to be read, and their use not noted, for each.
 */

import type { CredentialAnswer } from "#instance/connectors/credential.ts";
import type { LeaseRef } from "#protocol/runner-link.ts";

/** Another value of a secret is in force after so long. */
const KEPT_MS = 30_000;
const KEPT_AT_MOST = 500;

export class KeptCredentials {
  readonly #kept = new Map<string, { until: number; answer: CredentialAnswer }>();
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** @param read makes it. What it can't make is not kept. */
  async of(
    lease: LeaseRef,
    connector: { id: string; revision: number },
    read: () => Promise<CredentialAnswer>,
  ): Promise<CredentialAnswer> {
    const name = nameOf(lease, connector);
    const known = this.#kept.get(name);
    if (known !== undefined && known.until > this.#now()) return known.answer;
    const answer = await read();
    this.#kept.delete(name);
    if (answer.ok) this.#kept.set(name, { until: this.#now() + KEPT_MS, answer });
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > KEPT_AT_MOST && oldest !== undefined) this.#kept.delete(oldest);
    return answer;
  }

  /** The server has refused it, or another is in its place. */
  drop(lease: LeaseRef, connector: { id: string; revision: number }): void {
    this.#kept.delete(nameOf(lease, connector));
  }
}

function nameOf({ run_id, generation }: LeaseRef, { id, revision }: { id: string; revision: number }): string {
  return `${run_id}.${generation} ${id}.${revision}`;
}
