/** Public keys of an issuer, kept between requests, so that neither good tokens nor forged ones ask for them each time. */
import type { JSONWebKeySet } from "jose";
import { z } from "zod";

/** Issuers announce a new key long before they sign with it. */
const KEPT_MS = 3_600_000;
/** A key that nobody knows may be new, or made up. */
const UNKNOWN_KEY_PAUSE_MS = 300_000;
const FAILURE_PAUSE_MS = 10_000;

const documentSchema = z.object({ keys: z.array(z.unknown()) });
const rsaKeySchema = z.object({
  kty: z.literal("RSA"),
  n: z.string(),
  e: z.string(),
  kid: z.string(),
  alg: z.literal("RS256"),
  use: z.literal("sig"),
});

/** @returns what is at the address. @throws when it can't be read. */
type FetchKeys = (url: string) => Promise<unknown>;

interface IssuerKeys {
  /**
   * Those for RS256 of the issuer at `url`, read again where they are an hour old, or where `kid` is not among them and nobody asked
   * in the last five minutes. The answer may lack `kid` all the same. @throws when they can't be read.
   */
  find(url: string, kid: string, nowMs: number, fetchKeys: FetchKeys): Promise<JSONWebKeySet>;
}

interface Kept {
  keys: JSONWebKeySet;
  readAtMs: number;
  /** When they were last asked for, even if in vain. */
  askedAtMs: number;
}

/** Only what has been read is kept, never a promise: requests of a worker must not wait for one another's. */
export function keepIssuerKeys(): IssuerKeys {
  const kept = new Map<string, Kept>();
  const failedAtMs = new Map<string, number>();

  async function read(url: string, nowMs: number, fetchKeys: FetchKeys): Promise<JSONWebKeySet> {
    try {
      const keys = readDocument(await fetchKeys(url));
      kept.set(url, { keys, readAtMs: nowMs, askedAtMs: nowMs });
      failedAtMs.delete(url);
      return keys;
    } catch (error) {
      failedAtMs.set(url, nowMs);
      throw error;
    }
  }

  return {
    async find(url, kid, nowMs, fetchKeys) {
      const entry = kept.get(url);
      if (entry !== undefined && nowMs - entry.readAtMs < KEPT_MS) {
        const isKnown = entry.keys.keys.some((key) => key.kid === kid);
        if (isKnown || nowMs - entry.askedAtMs < UNKNOWN_KEY_PAUSE_MS) return entry.keys;
        // Before the answer is there: what comes meanwhile must not ask, too.
        entry.askedAtMs = nowMs;
        return read(url, nowMs, fetchKeys);
      }
      const failed = failedAtMs.get(url);
      if (failed !== undefined && nowMs - failed < FAILURE_PAUSE_MS)
        throw new Error("the issuer's keys are unreachable");
      return read(url, nowMs, fetchKeys);
    },
  };
}

/** Keys of other kinds are left out: an issuer may have them beside. */
function readDocument(document: unknown): JSONWebKeySet {
  const keys = documentSchema.parse(document).keys.flatMap((key) => rsaKeySchema.safeParse(key).data ?? []);
  return { keys };
}
