/** What every function of the generated client calls: one request, its answer as JSON, and a `Problem` where there is none. */
import type { ErrorBody } from "#protocol/errors.ts";
import { loseAccess, setAccess } from "../access.ts";
import { refused, unreachable, unreadable } from "../problem.ts";

/** The instance that serves this app checks what it answers, so the app carries no second check of it. */
export async function call<Answer>(path: string, init: RequestInit): Promise<Answer> {
  const response = await reach(path, init);
  const answer = response.status === 204 ? null : await readJson(response);
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
