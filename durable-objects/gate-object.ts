/** Counts what the whole instance lets in. One object; it stores nothing. */
import { DurableObject } from "cloudflare:workers";
import { type ObjectEnv, requireConfig } from "./environment.ts";
import { type Bucket, takeTokens } from "./fire-rate.ts";
import type { Permits } from "./peers.ts";

/** An object that nobody calls is forgotten after ten seconds. Its bucket would be full again by then anyway. */
const FILLED_WITHIN_MINUTES = 1 / 6;

export class GateObject extends DurableObject<ObjectEnv> {
  #bucket: Bucket | null = null;

  /** Hands out permits, as many of those that are asked for as there are. */
  take(count: number): Permits {
    const { instanceRatePerMinute: perMinute } = requireConfig(this.env);
    const limit = { perMinute, burst: Math.max(1, Math.floor(perMinute * FILLED_WITHIN_MINUTES)) };
    const { bucket, taken, retryAfterS } = takeTokens(this.#bucket, limit, count, Date.now());
    this.#bucket = bucket;
    return { taken, retry_after_s: retryAfterS };
  }
}
