/**
 * Keeps a credential that the worker has put into a request out of its answer: an upstream that is set up wrong, or a gateway that
 * says too much in its errors, may quote what it was sent.
 */

import { SHORTEST_WITHHELD, WITHHELD_MARK, withheld } from "#rules/secrets/withheld.ts";
import { basicAuthorization } from "#worker/auth/credentials.ts";

/** @returns the answer as it comes, with a mark in place of each text, in headers too. Texts of fewer than 8 characters stay. */
export function withhold(answer: Response, texts: readonly string[]): Response {
  const hidden = texts.filter(({ length }) => length >= SHORTEST_WITHHELD);
  if (hidden.length === 0) return answer;
  const { status } = answer;
  const headers = new Headers();
  for (const [name, value] of answer.headers) headers.append(name, withheld(value, hidden));
  return new Response(answer.body?.pipeThrough(withholding(hidden)) ?? null, { status, headers });
}

/** What of a pair `user:password` is secret, and how it is sent. */
export function secretsOf(pair: string | null): string[] {
  return pair === null ? [] : [basicAuthorization(pair).replace("Basic ", ""), pair.slice(pair.indexOf(":") + 1)];
}

function withholding(texts: readonly string[]): TransformStream<Uint8Array, Uint8Array> {
  const encoder = new TextEncoder();
  const patterns = texts.map((text) => encoder.encode(text));
  const mark = encoder.encode(WITHHELD_MARK);
  /** The end of what has come, where it may be the beginning of a pattern. */
  let held: Uint8Array = new Uint8Array();
  return new TransformStream({
    transform(chunk, out) {
      const bytes = held.length === 0 ? chunk : joined(held, chunk);
      let from = 0;
      for (let next = firstOf(bytes, patterns, from); next !== null; next = firstOf(bytes, patterns, from)) {
        if (next.at > from) out.enqueue(bytes.subarray(from, next.at));
        if (next.length === null) {
          held = bytes.slice(next.at);
          return;
        }
        out.enqueue(mark);
        from = next.at + next.length;
      }
      held = new Uint8Array();
      if (from < bytes.length) out.enqueue(bytes.subarray(from));
    },
    flush(out) {
      if (held.length > 0) out.enqueue(held);
    },
  });
}

/** The first place at which a pattern stands: its length, or null where the bytes end within it. */
function firstOf(
  bytes: Uint8Array,
  patterns: readonly Uint8Array[],
  from: number,
): { at: number; length: number | null } | null {
  let first: { at: number; length: number | null } | null = null;
  for (const pattern of patterns) {
    const at = placeOf(bytes, pattern, from);
    if (at === -1 || (first !== null && first.at <= at)) continue;
    first = { at, length: at + pattern.length <= bytes.length ? pattern.length : null };
  }
  return first;
}

function placeOf(bytes: Uint8Array, pattern: Uint8Array, from: number): number {
  const [begin = 0] = pattern;
  let at = bytes.indexOf(begin, from);
  while (at !== -1 && !standsAt(bytes, pattern, at)) at = bytes.indexOf(begin, at + 1);
  return at;
}

/** Also where only the pattern's beginning is there, because the bytes end. */
function standsAt(bytes: Uint8Array, pattern: Uint8Array, at: number): boolean {
  const end = Math.min(pattern.length, bytes.length - at);
  for (let place = 1; place < end; place += 1) if (bytes[at + place] !== pattern[place]) return false;
  return true;
}

function joined(before: Uint8Array, after: Uint8Array): Uint8Array {
  const both = new Uint8Array(before.length + after.length);
  both.set(before);
  both.set(after, before.length);
  return both;
}
