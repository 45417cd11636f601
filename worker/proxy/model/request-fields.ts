/**
 * Which fields a request of the Messages API has: every other top-level field is refused by name, so that nothing is passed
 * on whose effect is not known here. `MODEL_REQUEST_FIELDS` of the instance adds to them.
 * @see https://platform.claude.com/docs/en/api/messages and `MessageCreateParams` of `@anthropic-ai/sdk` 1.12.0, also of its
 * `beta`, which has more: `fallbacks` lets other models answer; `thread` keeps a conversation with the service;
 * `billing_policy`, `fallback_credit_token`, `user_profile_id` and `workspace_id` are about the instance's account.
 */
import type { Refusal } from "#protocol/errors.ts";
import { nearestKey } from "#rules/routine/nearest-key.ts";

export const REQUEST_FIELDS: readonly string[] = [
  "cache_control",
  "compaction",
  "container",
  "context_management",
  "diagnostics",
  "inference_geo",
  "max_tokens",
  "mcp_servers",
  "messages",
  "metadata",
  "model",
  "output_config",
  "output_format",
  "service_tier",
  "speed",
  "stop_sequences",
  "stream",
  "system",
  "temperature",
  "thinking",
  "tool_choice",
  "tools",
  "top_k",
  "top_p",
];

const SHOWN_LENGTH = 100;

/** @param name as it was sent; of a long one its beginning. */
export function unknownField(name: string, known: ReadonlySet<string>): Refusal {
  const field = name.slice(0, SHOWN_LENGTH).toWellFormed();
  const nearest = nearestKey(name, [...known]);
  const remedy = nearest === null ? "" : `; did you mean "${nearest}"?`;
  return {
    code: "invalid_request",
    field,
    message: `${field}: is not a field of the Messages API that this instance knows${remedy}`,
    hint: "Leave the field out; if the model's API has it, have the instance's owner add it to MODEL_REQUEST_FIELDS.",
  };
}

export function repeatedField(name: string): Refusal {
  return {
    code: "invalid_request",
    field: name,
    message: `${name}: is there twice`,
  };
}
