/** What every function of the generated client calls: one request, its answer as JSON, and a `Problem` where there is none. */
import type { ErrorBody } from "#protocol/errors.ts";
import { loseAccess, setAccess } from "../access.ts";
import { refused, unanswered, unreachable, unreadable } from "../problem.ts";

/** An answer that has not come by then is waited for no more. What writes may have much to do: a draft of a routine, a plan. */
const READ_MS = 30_000;
const WRITE_MS = 150_000;

/** The instance that serves this app checks what it answers, so the app carries no second check of it. */
export async function call<Answer>(path: string, init: RequestInit): Promise<Answer> {
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), init.method === "GET" ? READ_MS : WRITE_MS);
  try {
    return await answerOf<Answer>(path, {
      ...init,
      signal: AbortSignal.any([late.signal, init.signal ?? late.signal]),
    });
  } catch (error) {
    if (late.signal.aborted && !init.signal?.aborted) throw unanswered();
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

async function answerOf<Answer>(path: string, init: RequestInit): Promise<Answer> {
  const response = await reach(path, init);
  const answer = response.status === 204 ? null : await readJson(response, init.signal);
  if (response.ok) {
    setAccess("signed-in");
    return answer as Answer;
  }
  if (!isErrorBody(answer)) throw unreadable(response.status);
  if (response.status === 401) loseAccess();
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

async function readJson(response: Response, signal: RequestInit["signal"]): Promise<unknown> {
  try {
    return await response.json();
  } catch (error) {
    if (signal?.aborted) throw error;
    throw unreadable(response.status);
  }
}

function isErrorBody(answer: unknown): answer is ErrorBody {
  return typeof answer === "object" && answer !== null && "type" in answer && answer.type === "error";
}
