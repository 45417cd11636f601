/** GitHub's API as the instance asks it: each call within a deadline, and what can go wrong as refusals. */
import { createAppAuth } from "@octokit/auth-app";
import { request } from "@octokit/request";
import { RequestError } from "@octokit/request-error";
import { z } from "zod";
import { type Refusal, type Result, refuse, success } from "#protocol/errors.ts";
import { beginningOf } from "#protocol/well-formed.ts";
import type { KeptApp } from "./kept-app.ts";

/** For one call to GitHub, its body included, in milliseconds. */
const DEADLINE_MS = 10_000;
const USER_AGENT = "reveille";
/** Of GitHub's own words so much is passed on. */
const WORDS_LENGTH = 200;
/** A hundred installations are about a quarter of this, in bytes. */
const ANSWER_LIMIT = 2 ** 20;
const NO_CACHE = { get: async () => "", set: async () => {} };

export type GithubRequest = typeof request;
export type Credentials = Pick<KeptApp, "id" | "private_key">;

/** @param apiUrl without a slash at the end. */
export function githubRequest(apiUrl: string, deadlineMs: number = DEADLINE_MS): GithubRequest {
  return request.defaults({
    baseUrl: apiUrl,
    headers: { "user-agent": USER_AGENT, "x-github-api-version": "2022-11-28" },
    request: {
      fetch: async (url: string, init: RequestInit) =>
        bounded(await fetch(url, { ...init, signal: AbortSignal.timeout(deadlineMs) })),
      log: { warn: () => {} },
    },
  });
}

/** The same answer, which breaks off where it is longer than any of GitHub's. */
function bounded(answer: Response): Response {
  let left = ANSWER_LIMIT;
  const counted = new TransformStream<Uint8Array, Uint8Array>({
    transform: (chunk, controller) => {
      left -= chunk.byteLength;
      if (left < 0) throw new RangeError("the answer is too long");
      controller.enqueue(chunk);
    },
  });
  return answer.body === null ? answer : new Response(answer.body.pipeThrough(counted), answer);
}

/** The private key can't be used to sign: no request was made. */
class KeyUnusable extends Error {}

/** What signs as the App. It keeps no token: `InstallationTokens` does. */
export function appAuth(github: GithubRequest, { id, private_key }: Credentials) {
  return createAppAuth({ appId: id, privateKey: private_key, request: github, cache: NO_CACHE });
}

/** @param auth from `appAuth`. @returns the headers of a call in the App's own name. */
export async function asApp(auth: ReturnType<typeof appAuth>): Promise<{ authorization: string }> {
  const { token } = await auth({ type: "app" }).catch((cause: unknown) => {
    throw new KeyUnusable("the private key can't be read", { cause });
  });
  return { authorization: `Bearer ${token}` };
}

/** What a call to GitHub has ended with, where it is no answer. */
export interface GithubFailure {
  /** The answer's status; null where there was none. */
  status: number | null;
  refusal: Refusal;
  /** What GitHub says of it, in its own words. */
  words: string;
}

/** Makes a call, and turns what it throws into a failure. */
export async function asked<Value>(
  call: () => Promise<Value>,
): Promise<{ ok: true; value: Value } | { ok: false; failure: GithubFailure }> {
  try {
    return { ok: true, value: await call() };
  } catch (error) {
    return { ok: false, failure: failureOf(error) };
  }
}

/** Those that pass by themselves are `github_unreachable`; all others are about the App's key until the caller knows better. */
function failureOf(error: unknown): GithubFailure {
  const response = error instanceof RequestError ? error.response : undefined;
  if (response === undefined) return withoutAnswer(error);
  const { status, headers } = response;
  const words = wordsOf(response.data);
  const retryAfter = Number(headers["retry-after"] ?? Number.NaN);
  // Of a secondary limit GitHub may tell in its words alone.
  const isToldLimited = headers["x-ratelimit-remaining"] === "0" || retryAfter > 0 || /\brate limit\b/i.test(words);
  if (status === 429 || (status === 403 && isToldLimited)) {
    const { refusal } = refuse("github_unreachable", {
      reason: "GitHub takes no more requests of this App for now",
      retry_after_s: retryAfter > 0 ? retryAfter : 60,
    });
    return { status, refusal, words };
  }
  if (status >= 500) {
    const { refusal } = refuse("github_unreachable", { reason: `GitHub's API answers ${status}` });
    return { status, refusal, words };
  }
  return {
    status,
    refusal: refuse("github_app_key_refused", { reason: `GitHub answers ${status}: ${words}` }).refusal,
    words,
  };
}

function withoutAnswer(error: unknown): GithubFailure {
  if (error instanceof KeyUnusable) {
    const { refusal } = refuse("github_app_key_refused", { reason: error.message });
    return { status: null, refusal, words: error.message };
  }
  const reason = reasonOf(error);
  return { status: null, refusal: refuse("github_unreachable", { reason }).refusal, words: reason };
}

/** @octokit/request gives a body that broke off as one that is empty, or not JSON: the answer's schema refuses it. */
function reasonOf(error: unknown): string {
  if (error instanceof z.ZodError) return "something else than GitHub's API answers at its address, or it broke off";
  const names = [error, error instanceof Error ? error.cause : null].map((one) => one instanceof Error && one.name);
  const isLate = names.some((name) => name === "TimeoutError" || name === "AbortError");
  return isLate ? "GitHub's API does not answer in time" : "GitHub's API can't be reached";
}

/** Of a request that is at fault GitHub tells the faults one by one: in words, or as the field and a code. */
const faultsSchema = z.looseObject({
  message: z.string(),
  errors: z
    .array(z.looseObject({ message: z.string().nullish(), field: z.string().nullish(), code: z.string().nullish() }))
    .catch([]),
});

function wordsOf(data: unknown): string {
  const told = faultsSchema.safeParse(data);
  if (!told.success) return typeof data === "string" ? beginningOf(data, WORDS_LENGTH) : "nothing more";
  const faults = told.data.errors.map(({ message, field, code }) => message ?? `${field} ${code}`);
  return beginningOf([told.data.message, ...faults].join("; "), WORDS_LENGTH);
}

/** The call's answer, or its failure as a refusal. */
export async function answerOf<Value>(call: () => Promise<Value>): Promise<Result<Value>> {
  const done = await asked(call);
  return done.ok ? success(done.value) : { ok: false, refusal: done.failure.refusal };
}
