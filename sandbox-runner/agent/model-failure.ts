/** Why the model ended the agent's work, from the agent's last result. No I/O. */
import type { SDKResultMessage } from "@anthropic-ai/claude-agent-sdk";
import { z } from "zod";
import type { RunErrorCode } from "#protocol/run-errors.ts";

export interface ModelFailure {
  code: RunErrorCode;
  /** What is known of the case beyond its code. */
  detail: string | undefined;
}

/** What the SDK adds to a result that the model's API brought about; not all of it is in the SDK's types. */
const apiErrorSchema = z.object({
  api_error_status: z.number().nullish().catch(null),
  api_error_type: z.string().nullish().catch(null),
  api_error: z.string().nullish().catch(null),
});

const CONTEXT_FULL = ["prompt_too_long", "blocking_limit", "rapid_refill_breaker"];
const MODEL_FAILED = ["api_error", "model_error"];
/** Advice of the agent's program about the address of its API, which here is the run's own relay: nobody could follow it. */
const RELAY_ADVICE = /If it persists, check your inference gateway(?: \([^)]{0,500}\))?\./;

/** What the agent's program says of an error, without advice that leads nowhere in a run. */
export function modelWords(text: string): string {
  const parts = text.split(RELAY_ADVICE);
  return parts.map((part, place) => (place === parts.length - 1 ? part : part.trimEnd())).join("");
}

/** @param words what the agent's program says, on one line. @returns null when the model is not the cause. */
export function modelFailure(result: SDKResultMessage, words: string): ModelFailure | null {
  const reason = result.terminal_reason ?? "";
  if (result.stop_reason === "refusal") return { code: "model_refusal", detail: undefined };
  // A request or a picture that the API does not take.
  if (reason === "image_error") return { code: "model_request_refused", detail: words };
  if (CONTEXT_FULL.includes(reason)) return { code: "model_context_full", detail: words };
  if (!MODEL_FAILED.includes(reason)) return null;
  const { api_error_status: status, api_error_type: type, api_error: error } = apiErrorSchema.parse(result);
  if (error === "max_output_tokens") {
    // The same is said when the context window is full in the middle of an answer.
    const isFull = /context window/i.test(words);
    return isFull ? { code: "model_context_full", detail: words } : { code: "model_max_tokens", detail: undefined };
  }
  // The worker's proxy answers 403 for both; a rule of its own is a matter of permission, a key is one of authentication.
  if (status === 401 || (status === 403 && type !== "permission_error")) {
    return { code: "model_key_refused", detail: /Reason: .+/.exec(words)?.[0] };
  }
  if (status === 429 || status === 402 || /credit balance|billing/i.test(words))
    return { code: "model_limit_reached", detail: words };
  const isRefused = typeof status === "number" && status >= 400 && status < 500 && status !== 408;
  return { code: isRefused ? "model_request_refused" : "model_unavailable", detail: words };
}
