/** GitHub's API as the instance asks it: each call within a deadline, and what can go wrong as refusals. */
import { createAppAuth } from "@octokit/auth-app";
import { request } from "@octokit/request";
import { RequestError } from "@octokit/request-error";
import { z } from "zod";
import { type Refusal, type Result, refuse, success } from "#protocol/errors.ts";
import { beginningOf } from "#protocol/well-formed.ts";
import { withhold } from "#worker/proxy/withhold.ts";
import type { KeptApp } from "./kept-app.ts";

/** For one call to GitHub, its body included, in milliseconds. */
const DEADLINE_MS = 10_000;
const USER_AGENT = "reveille";
/** Of GitHub's own words so much is passed on. */
const WORDS_LENGTH = 200;
/** A page of GitHub's with the longest texts is about as long, in bytes. */
const ANSWER_LIMIT = 2 ** 22;
/** A repository's new name is one step away. */
const REDIRECTS = 3;
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
        whole(withhold(await follow(url, { ...init, signal: AbortSignal.timeout(deadlineMs) }), credentialIn(init))),
      log: { warn: () => {} },
    },
  });
}

const NO_SENSE = "something else than GitHub's API answers at its address, or it broke off";

/** What GitHub has answered does not have the shape that it publishes. */
export function withoutSense(): Result<never> {
  return refuse("github_unreachable", { reason: NO_SENSE });
}

/** What the request was signed with: an answer that quotes it goes on without. */
function credentialIn({ headers }: RequestInit): string[] {
  const authorization = new Headers(headers).get("authorization");
  return authorization === null ? [] : [authorization.replace(/^\w+ /, "")];
}

/** No answer that is of use, for a reason that can be told. */
class NoUse extends Error {}

/**
 * A repository that was renamed is found by its number, at the same address: there GitHub is asked again, as its documentation
 * wants it, the method as it was. A token goes nowhere else.
 */
async function follow(url: string, init: RequestInit): Promise<Response> {
  let at = url;
  for (let step = 0; step <= REDIRECTS; step += 1) {
    const answer = await fetch(at, { ...init, redirect: "manual" });
    if (init.redirect === "manual" || ![301, 302, 307, 308].includes(answer.status)) return answer;
    const next = URL.parse(answer.headers.get("location") ?? "", at);
    if (next === null || next.origin !== new URL(url).origin) break;
    await answer.body?.cancel();
    at = next.href;
  }
  throw new NoUse("GitHub's API sends the instance to another address");
}

/**
 * The same answer, once all of it is there: @octokit/request would give a body that broke off as one that is empty. One that is
 * longer than any of GitHub's is given up.
 */
async function whole(answer: Response): Promise<Response> {
  if (answer.body === null) return answer;
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let left = ANSWER_LIMIT;
  for await (const chunk of answer.body) {
    left -= chunk.byteLength;
    if (left < 0) throw new NoUse(`GitHub's answer is longer than ${ANSWER_LIMIT / 2 ** 20} MiB`);
    chunks.push(chunk);
  }
  return new Response(new Blob(chunks), answer);
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

/** A primary limit is for an hour. Where GitHub tells no time, it wants a minute to be waited. */
const WINDOW_S = 3_600;
const WITHOUT_HINT_S = 60;

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
  const retryAfter = retryAfterOf(headers);
  // Of a secondary limit GitHub may tell in its words alone.
  const isToldLimited =
    headers["x-ratelimit-remaining"] === "0" || retryAfter !== null || /\brate limit\b/i.test(words);
  if (status === 429 || (status === 403 && isToldLimited)) {
    const { refusal } = refuse("github_unreachable", {
      reason: "GitHub takes no more requests of this App for now",
      retry_after_s: retryAfter ?? WITHOUT_HINT_S,
      hint: `Try again in ${retryAfter ?? WITHOUT_HINT_S} seconds.`,
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

/** Of a primary limit GitHub tells when it ends, by its own clock. @returns seconds; null where it tells nothing. */
function retryAfterOf(headers: Record<string, unknown>): number | null {
  const after = Number(headers["retry-after"] ?? Number.NaN);
  if (after > 0) return Math.ceil(after);
  const until = headers["x-ratelimit-remaining"] === "0" ? Number(headers["x-ratelimit-reset"]) : Number.NaN;
  const now = Date.parse(String(headers["date"])) / 1_000;
  return until > now ? Math.min(Math.ceil(until - now), WINDOW_S) : null;
}

function withoutAnswer(error: unknown): GithubFailure {
  if (error instanceof KeyUnusable) {
    const { refusal } = refuse("github_app_key_refused", { reason: error.message });
    return { status: null, refusal, words: error.message };
  }
  const reason = reasonOf(error);
  return { status: null, refusal: refuse("github_unreachable", { reason }).refusal, words: reason };
}

/** @octokit/request gives what is not JSON as text: the answer's schema refuses it. */
function reasonOf(error: unknown): string {
  if (error instanceof z.ZodError) return NO_SENSE;
  const cause = error instanceof Error ? error.cause : null;
  if (cause instanceof NoUse) return cause.message;
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
