/** How a store of secrets outside is asked: within a deadline, again where the failure passes, and no more of its answer than a secret needs. */
import { TRIES_AT_MOST, waitBeforeNext } from "#rules/calls/retryable.ts";

/** What asking a store depends on. */
export interface Asking {
  fetch(url: string, init: RequestInit): Promise<Response>;
  now(): number;
  pause(ms: number): Promise<void>;
  /** For all that an attempt asks a store, in milliseconds. */
  deadlineMs: number;
}

export interface StoreAnswer {
  status: number;
  /** The parsed body; undefined when it is not JSON. */
  body: unknown;
}

const ANSWER_LIMIT_BYTES = 1_048_576;
/** What passes by itself: a store that is busy, starting, or electing a new leader. */
const PASSING = (status: number) => status === 412 || status === 429 || status >= 500;

export const ASKING: Asking = {
  fetch: (url, init) => fetch(url, init),
  now: () => Date.now(),
  pause: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  // With two calls of D1 less than a runner's hello waits (durable-objects/routine/runs/run-links.ts).
  deadlineMs: 4_000,
};

/**
 * Makes a call that only reads. A redirect is an answer like any other: the credentials go to no other address.
 * @param made makes the request anew for each try. @param signal ends all tries, and those of the attempt's other calls.
 * @returns null when there is no answer in time, or none of this form.
 */
export async function askStore(
  asking: Asking,
  made: () => Promise<{ url: string; init: RequestInit }>,
  signal = AbortSignal.timeout(asking.deadlineMs),
): Promise<StoreAnswer | null> {
  for (let tries = 1; ; tries += 1) {
    const answer = await oneTry(asking, made, signal);
    const isFinal = answer !== null && !PASSING(answer.status);
    if (isFinal || tries === TRIES_AT_MOST || signal.aborted) return answer;
    await asking.pause(waitBeforeNext(tries, Math.random()));
  }
}

async function oneTry(
  asking: Asking,
  made: () => Promise<{ url: string; init: RequestInit }>,
  signal: AbortSignal,
): Promise<StoreAnswer | null> {
  try {
    const { url, init } = await made();
    const response = await asking.fetch(url, { ...init, redirect: "manual", signal });
    const text = await bounded(response);
    return text === null ? null : { status: response.status, body: parsed(text) };
  } catch {
    // Whatever it was, it may quote what was sent.
    return null;
  }
}

async function bounded(response: Response): Promise<string | null> {
  let text = "";
  let bytes = 0;
  const decoder = new TextDecoder();
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > ANSWER_LIMIT_BYTES) return null;
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
