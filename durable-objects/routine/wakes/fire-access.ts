/** Who may fire: whoever has the routine's token, and not too often. */
import type { Config } from "#instance/config.ts";
import { isSameHash } from "#instance/secrets.ts";
import { type Result, refuse, success } from "#protocol/errors.ts";
import { type Bucket, takeToken } from "#rules/token-bucket.ts";
import type { RoutineRow } from "../definition/definition-store.ts";
import type { RefusalCounts } from "./refusal-counts.ts";

export class FireAccess {
  readonly #config: Config;
  readonly #refusals: RefusalCounts;
  #bucket: Bucket | null = null;

  constructor(config: Config, refusals: RefusalCounts) {
    this.#config = config;
    this.#refusals = refusals;
  }

  /** Whether this is the routine's token. A wrong one is counted. */
  checkToken(routine: RoutineRow, presentedHash: string): Result<null> {
    if (routine.tokenHash !== null && isSameHash(routine.tokenHash, presentedHash)) return success(null);
    this.#refusals.count("routine_token_invalid");
    return refuse("routine_token_invalid");
  }

  /**
   * Whether a fire with this token may go on to admission. Synchronous: nothing happens between this and admission.
   * @param isRepeat of a call that was made before, and counted.
   */
  admit(routine: RoutineRow, presentedHash: string, isRepeat: boolean, nowMs: number): Result<null> {
    const known = this.checkToken(routine, presentedHash);
    if (!known.ok || isRepeat) return known;
    const { fireRatePerMinute: perMinute, fireBurst: burst } = this.#config;
    const { bucket, retryAfterS } = takeToken(this.#bucket, { perMinute, burst }, nowMs);
    this.#bucket = bucket;
    if (retryAfterS === null) return success(null);
    this.#refusals.count("rate_limited");
    return refuse("rate_limited", { retry_after_s: retryAfterS });
  }
}
