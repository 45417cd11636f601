/** Pure: changes a request that was made for one model so that another one takes it. */

/** An answer's length, in tokens, that every model allows. */
const ANY_MODELS_TOKENS = 32_000;

/**
 * Leaves out what some models alone take: ways of thinking, efforts, and answers longer than others give. A model that
 * does not know them refuses the whole request.
 * @param body a parsed request of the Messages API.
 */
export function forModel(body: Readonly<Record<string, unknown>>, model: string): Record<string, unknown> {
  const { thinking: _thinking, context_management: _edits, output_config: output, ...rest } = body;
  const room = rest["max_tokens"];
  const shorter = typeof room === "number" ? { max_tokens: Math.min(room, ANY_MODELS_TOKENS) } : {};
  const kept = typeof output === "object" && output !== null ? { ...output, effort: undefined } : {};
  const isKept = Object.values(kept).some((value) => value !== undefined);
  return { ...rest, ...shorter, ...(isKept ? { output_config: kept } : {}), model };
}
