/** Who may fire, and who may read runs: whoever has a token of the routine's that does, and not too often. */
import type { Config } from "#instance/config.ts";
import { isSameHash } from "#instance/secrets.ts";
import { type Result, refuse, success } from "#protocol/errors.ts";
import { type Bucket, takeToken } from "#rules/token-bucket.ts";
import type { RoutineRow } from "../definition/definition-store.ts";
import type { RefusalCounts } from "./refusal-counts.ts";

export class FireAccess {
  readonly #config: Config;
  readonly #refusals: RefusalCounts;
  #fires: Bucket | null = null;
  #reads: Bucket | null = null;

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
    const { bucket, retryAfterS } = takeToken(this.#fires, this.#rate, nowMs);
    this.#fires = bucket;
    return this.#inTime(retryAfterS);
  }

  /** Whether whoever shows this token may read a run. Reads have the rate of fires, and use up nothing of theirs. */
  admitReader(routine: RoutineRow, presentedHash: string, nowMs: number): Result<null> {
    const known = this.checkToken(routine, presentedHash);
    if (!known.ok) return known;
    if (!routine.tokenMayRead) return refuse("token_may_not_read");
    const { bucket, retryAfterS } = takeToken(this.#reads, this.#rate, nowMs);
    this.#reads = bucket;
    return this.#inTime(retryAfterS);
  }

  get #rate() {
    const { fireRatePerMinute: perMinute, fireBurst: burst } = this.#config;
    return { perMinute, burst };
  }

  #inTime(retryAfterS: number | null): Result<null> {
    if (retryAfterS === null) return success(null);
    this.#refusals.count("rate_limited");
    return refuse("rate_limited", { retry_after_s: retryAfterS });
  }
}
