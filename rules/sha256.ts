/**
 * SHA-256 without waiting: the platform's own answers later, and between the first read and the last write of a decision nothing
 * may be awaited. For keys, which are short; what is long or secret goes through the platform. Pure.
 * @see docs/decisions/0030-noble-hashes.md
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";

const encoder = new TextEncoder();

/** @returns 64 digits in lower-case hex. @param text as UTF-8, in which half of a pair of surrogates is U+FFFD. */
export function sha256Hex(text: string): string {
  return bytesToHex(sha256(encoder.encode(text)));
}
