/** Who may fire, and who may read runs: whoever has a token of the routine's that does, and not too often. */
import type { Config } from "#instance/config.ts";
import { hashSecret, isSameHash } from "#instance/secrets.ts";
import { type Result, refuse, success } from "#protocol/errors.ts";
import { type Bucket, takeToken } from "#rules/token-bucket.ts";
import type { RoutineRow } from "../definition/definition-store.ts";
import type { RefusalCounts } from "./refusal-counts.ts";

/** A token that was shown, with the hash that one is kept as. */
export interface ShownToken {
  readonly token: string;
  readonly hash: string;
}

export class FireAccess {
  readonly #config: Config;
  readonly #refusals: RefusalCounts;
  #fires: Bucket | null = null;
  #reads: Bucket | null = null;
  /** The last token that was right, with its hash. */
  #known: ShownToken | null = null;

  constructor(config: Config, refusals: RefusalCounts) {
    this.#config = config;
    this.#refusals = refusals;
  }

  /** The token as it is checked. The digest has to be waited for, which costs a fire more than the rest of its check: one that was right is known. */
  shown(token: string): ShownToken | Promise<ShownToken> {
    const known = this.#known;
    if (known !== null && isSameHash(known.token, token)) return known;
    return hashSecret(token).then((hash) => ({ token, hash }));
  }

  /** Whether this is the routine's token. A wrong one is counted. */
  checkToken(routine: RoutineRow, shown: ShownToken): Result<null> {
    if (routine.tokenHash !== null && isSameHash(routine.tokenHash, shown.hash)) {
      this.#known = shown;
      return success(null);
    }
    this.#refusals.count("routine_token_invalid");
    return refuse("routine_token_invalid");
  }

  /**
   * Whether a fire with this token may go on to admission. Synchronous: nothing happens between this and admission.
   * @param isRepeat of a call that was made before, and counted.
   */
  admit(routine: RoutineRow, shown: ShownToken, isRepeat: boolean, nowMs: number): Result<null> {
    const known = this.checkToken(routine, shown);
    if (!known.ok || isRepeat) return known;
    const { bucket, retryAfterS } = takeToken(this.#fires, this.#rate, nowMs);
    this.#fires = bucket;
    return this.#inTime(retryAfterS);
  }

  /** Whether whoever shows this token may read a run. Reads have the rate of fires, and use up nothing of theirs. */
  admitReader(routine: RoutineRow, shown: ShownToken, nowMs: number): Result<null> {
    const known = this.checkToken(routine, shown);
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
