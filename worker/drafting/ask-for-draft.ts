/** One call of the model's API for a draft, with the instance's key. */

import type { ModelUpstream } from "#instance/config.ts";
import { type Refusal, type Result, success } from "#protocol/errors.ts";
import { beginningOf } from "#protocol/well-formed.ts";
import { parseJson } from "#rules/json.ts";
import { withheld } from "#rules/secrets/withheld.ts";

import type { DraftRequest } from "./draft-request.ts";

export type KeyedUpstream = Extract<ModelUpstream, { kind: "anthropic" }>;

/** A model that writes a whole routine may take so long. */
const DEADLINE_MS = 90_000;
/** An answer is a routine, not a book. */
const ANSWER_BYTES = 1_048_576;
const TOLD_LENGTH = 300;
const RETRY_AFTER_S = 30;

/** @returns the answer's body, or why there is none. Never rejects. */
export async function askForDraft(
  { baseUrl, apiKey }: KeyedUpstream,
  request: DraftRequest,
  signal: AbortSignal,
): Promise<Result<unknown>> {
  const headers = { "x-api-key": apiKey, "anthropic-version": "2023-06-01", "content-type": "application/json" };
  const asked = { method: "POST", headers, body: JSON.stringify(request), redirect: "manual" } as const;
  try {
    const within = AbortSignal.any([signal, AbortSignal.timeout(DEADLINE_MS)]);
    const answer = await fetch(`${baseUrl}/v1/messages`, { ...asked, signal: within });
    const text = withheld(await readText(answer), [apiKey]);
    if (answer.ok) return success(parseJson(text));
    return { ok: false, refusal: refusalOf(answer.status, text) };
  } catch {
    return { ok: false, refusal: { code: "model_unreachable", retry_after_s: RETRY_AFTER_S } };
  }
}

/** @throws when it is longer than an answer may be. */
async function readText(answer: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of answer.body ?? []) {
    text += decoder.decode(chunk, { stream: true });
    if (text.length > ANSWER_BYTES) throw new Error("the answer is too long");
  }
  return text + decoder.decode();
}

function refusalOf(status: number, text: string): Refusal {
  if (status === 429 || status >= 500) {
    return { code: "model_unreachable", reason: `it answered ${status}`, retry_after_s: RETRY_AFTER_S };
  }
  const said = beginningOf(text.replace(/\s+/g, " "), TOLD_LENGTH);
  return { code: "draft_refused", reason: said === "" ? `it answered ${status}` : `it answered ${status}: ${said}` };
}
