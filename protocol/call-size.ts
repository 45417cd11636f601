/** How large a model call may become, as its request tells before it is made. */

export interface CallSize {
  /** Of its whole body. */
  bytes: number;
  /** The longest answer that it allows, in tokens; null where it does not say. */
  max_tokens: number | null;
  speed: string | null;
  /** Where it is to be answered: `inference_geo`. */
  geo: string | null;
  /** Whether some of it is to be kept in the cache for an hour; absent where it is not. */
  caches_for_hour?: boolean;
}

/** Of a call of which nothing is known. */
export const UNKNOWN_SIZE: CallSize = { bytes: 0, max_tokens: null, speed: null, geo: null };
