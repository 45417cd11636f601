/** Pure: which model answers a call, from the one that it asks for and those that the run may use. */

/** Names that Claude Code has for the newest model of a family. */
const NEWEST: Readonly<Record<string, string>> = {
  best: "claude-opus-5-5",
  fable: "claude-fable-5-2",
  haiku: "claude-haiku-5-5",
  opus: "claude-opus-5-5",
  opusplan: "claude-opus-5-5",
  sonnet: "claude-sonnet-5-5",
};

/** How Claude Code marks a wider context window. It takes the mark off and sends a beta header in its place. */
const CONTEXT_MARK = /\[[12]m\]/gi;

/**
 * The model of a run. Where the routine names a family, it is the whole name of one model, so that it stays the same while
 * the run is on; `default` stands for the instance's default model.
 */
export function namedModel(given: string | null | undefined, defaultModel: string): string {
  const wanted = given == null || comparable(given) === "default" ? defaultModel : given;
  const newest = NEWEST[comparable(wanted)];
  return newest === undefined ? wanted : newest + (wanted.match(CONTEXT_MARK)?.[0] ?? "");
}

/** A model's name as the Messages API knows it. */
export function sentName(model: string): string {
  return model.replace(CONTEXT_MARK, "").trim();
}

export interface AnsweringModel {
  /** As it is sent to the Messages API. */
  model: string;
  /** True when it is not the one that was asked for. */
  isOther: boolean;
}

/**
 * The model that was asked for, when it is the routine's own or one that the instance allows; else the routine's own.
 * @param others models that the instance allows beside the routine's.
 */
export function answeringModel(asked: string, own: string, others: readonly string[]): AnsweringModel {
  const isAllowed = [own, ...others].some((allowed) => comparable(allowed) === comparable(asked));
  return { model: sentName(isAllowed ? asked : own), isOther: !isAllowed };
}

/** Claude Code sends the names that it knows in lower case. */
function comparable(model: string): string {
  return sentName(model).toLowerCase();
}
