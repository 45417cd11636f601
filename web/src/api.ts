/** The calls that the pages make. They throw a `Problem`; the types of answers are those of the schemas that check them. */
import type { Page } from "#protocol/api.ts";
import type { ErrorBody } from "#protocol/errors.ts";
import type { BegunSetup, GithubAppState } from "#protocol/github-app.ts";
import type { Admission, Occurrence } from "#protocol/occurrence.ts";
import type { Revision, Routine } from "#protocol/routine.ts";
import type { ListedRun, Run } from "#protocol/run.ts";
import type { Session } from "#protocol/session.ts";
import type { VerdictWord } from "#protocol/verdict.ts";
import { setAccess } from "./access.ts";
import { refused, unreachable, unreadable } from "./problem.ts";

/** Which page of a list. */
export interface PageOf {
  cursor: string | null;
  limit: number;
}

interface Extras {
  body?: unknown;
  headers?: Record<string, string>;
  signal?: AbortSignal;
}

export function listRoutines(page: PageOf, signal?: AbortSignal): Promise<Page<Routine>> {
  return read(`/api/v1/routines?${pageQuery(page)}`, signal);
}

export function readRoutine(id: string, signal?: AbortSignal): Promise<Routine> {
  return read(routinePath(id), signal);
}

export function pauseRoutine(id: string, reason: string | null): Promise<Routine> {
  return call("POST", `${routinePath(id)}/pause`, { body: reason === null ? {} : { reason } });
}

export function resumeRoutine(id: string): Promise<Routine> {
  return call("POST", `${routinePath(id)}/resume`);
}

/** @param key makes repeating the call safe: the same key starts one run. */
export function runNow(id: string, text: string | null, key: string): Promise<Admission> {
  const body = text === null ? {} : { text };
  return call("POST", `${routinePath(id)}/run`, { body, headers: { "idempotency-key": key } });
}

export function listRoutineRuns(id: string, page: PageOf, signal?: AbortSignal): Promise<Page<ListedRun>> {
  return read(`${routinePath(id)}/runs?${pageQuery(page)}`, signal);
}

export function listOccurrences(id: string, page: PageOf, signal?: AbortSignal): Promise<Page<Occurrence>> {
  return read(`${routinePath(id)}/occurrences?${pageQuery(page)}`, signal);
}

export function listRevisions(id: string, page: PageOf, signal?: AbortSignal): Promise<Page<Revision>> {
  return read(`${routinePath(id)}/revisions?${pageQuery(page)}`, signal);
}

export function listRuns(page: PageOf, signal?: AbortSignal): Promise<Page<ListedRun>> {
  return read(`/api/v1/runs?${pageQuery(page)}`, signal);
}

export function readRun(id: string, signal?: AbortSignal): Promise<Run> {
  return read(`/api/v1/runs/${encodeURIComponent(id)}`, signal);
}

export function cancelRun(id: string): Promise<Run> {
  return call("POST", `/api/v1/runs/${encodeURIComponent(id)}/cancel`);
}

/** A new run with the input of one that has ended. @param key makes repeating the call safe: the same key is one retry. */
export function retryRun(id: string, key: string): Promise<Admission> {
  return call("POST", `/api/v1/runs/${encodeURIComponent(id)}/retry`, { headers: { "idempotency-key": key } });
}

/** @param why null where nothing is said. */
export function giveVerdict(id: string, verdict: VerdictWord, why: string | null): Promise<Run> {
  const body = why === null ? { verdict } : { verdict, why };
  return call("POST", `/api/v1/runs/${encodeURIComponent(id)}/verdict`, { body });
}

export function readSession(id: string, signal?: AbortSignal): Promise<Session> {
  return read(`/api/v1/sessions/${encodeURIComponent(id)}`, signal);
}

/** A ticket for one upgrade to `…/live`, within 60 seconds. */
export function issueTicket(sessionId: string): Promise<{ ticket: string }> {
  return call("POST", `/api/v1/sessions/${encodeURIComponent(sessionId)}/ticket`);
}

/** The instance's GitHub App. GitHub is asked where it is installed. */
export function readGithubApp(signal?: AbortSignal): Promise<GithubAppState> {
  return read("/api/v1/github/app", signal);
}

/** @param organization null for whoever makes the App. */
export function beginGithubSetup(organization: string | null): Promise<BegunSetup> {
  return call("POST", "/api/v1/github/app/setup", { body: organization === null ? {} : { organization } });
}

/** With what GitHub sent the browser back. */
export function endGithubSetup(given: { code: string; state: string }): Promise<GithubAppState> {
  return call("POST", "/api/v1/github/app", { body: given });
}

/** With the owner token, or with a code that works once. */
export async function signIn(credential: { token: string } | { code: string }): Promise<void> {
  await call("POST", "/api/v1/sign-in", { body: credential });
}

export async function signOut(): Promise<void> {
  await call("POST", "/api/v1/sign-out");
  setAccess("signed-out");
}

function routinePath(id: string): string {
  return `/api/v1/routines/${encodeURIComponent(id)}`;
}

function pageQuery({ cursor, limit }: PageOf): URLSearchParams {
  return new URLSearchParams(cursor === null ? { limit: String(limit) } : { limit: String(limit), cursor });
}

function read<Answer>(path: string, signal: AbortSignal | undefined): Promise<Answer> {
  return call("GET", path, signal === undefined ? {} : { signal });
}

/** The instance that serves this app checks what it answers, so the app carries no second check of it. */
async function call<Answer>(method: string, path: string, { body, headers, signal }: Extras = {}): Promise<Answer> {
  const response = await reach(path, {
    method,
    headers: { ...headers, ...(body === undefined ? {} : { "content-type": "application/json" }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    ...(signal === undefined ? {} : { signal }),
  });
  const answer = response.status === 204 ? null : await readJson(response);
  if (response.ok) {
    setAccess("signed-in");
    return answer as Answer;
  }
  if (!isErrorBody(answer)) throw unreadable(response.status);
  if (response.status === 401) setAccess("signed-out");
  throw refused(response.status, answer);
}

async function reach(path: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(path, init);
  } catch (error) {
    if (init.signal?.aborted) throw error;
    throw unreachable();
  }
}

async function readJson(response: Response): Promise<unknown> {
  try {
    return await response.json();
  } catch {
    throw unreadable(response.status);
  }
}

function isErrorBody(answer: unknown): answer is ErrorBody {
  return typeof answer === "object" && answer !== null && "type" in answer && answer.type === "error";
}
