/** Pure: a definition that was written as JSON, as the form can show it, or why it can't. */
import type { TriggerInput } from "#protocol/triggers.ts";
import { DRAFT_KEYS, type Draft, EMPTY_DRAFT } from "./draft.ts";

export type ReadDraft = { draft: Draft } | { fault: string };

/** What a trigger has where it says nothing. */
const TRIGGER_DEFAULTS: Record<TriggerInput["type"], object> = {
  schedule: { timezone: "UTC", catch_up: "latest" },
  github: { event: "", filters: [], allow_public: false, allow_self: false },
  api: {},
  webhook: { source: "generic", filters: [] },
  routine: { routine: "", on: ["succeeded"] },
  event: { name: "", filters: [] },
  watch: { connector: "", every: "5m" },
};

export function jsonOf(draft: Draft): string {
  const ordered = DRAFT_KEYS.filter((key) => draft[key] !== undefined).map((key) => [key, draft[key]]);
  return JSON.stringify(Object.fromEntries(ordered), null, 2);
}

export function readJson(text: string): { value: Record<string, unknown> } | { fault: string } {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? { value } : { fault: "A routine is a JSON object: it begins with { and ends with }." };
  } catch (error) {
    return { fault: `This is not JSON: ${error instanceof Error ? error.message : "it can't be read"}.` };
  }
}

/** What has a wrong form is told here; what has a wrong value, by the instance. */
export function readDraft(value: Record<string, unknown>): ReadDraft {
  const unknown = Object.keys(value).find((key) => !DRAFT_KEYS.some((one) => one === key));
  if (unknown !== undefined) return { fault: `“${unknown}” is no key of a routine.` };
  for (const key of DRAFT_KEYS) {
    const wanted = EMPTY_DRAFT[key] ?? (key === "gate" ? {} : "");
    if (value[key] !== undefined && formOf(value[key]) !== formOf(wanted)) {
      return { fault: `${key} must be ${WORDS[formOf(wanted)]}.` };
    }
  }
  const { connectors = [] } = value as { connectors?: unknown[] };
  const unnamed = connectors.findIndex((one) => typeof (isObject(one) ? one["name"] : one) !== "string");
  if (unnamed !== -1) return { fault: `connectors[${unnamed}] must be a name, or an object with a name.` };
  const { limits, retry, tools, network, triggers = [], repositories = [] } = value;
  const items = { triggers: triggers as unknown[], repositories: repositories as unknown[] };
  for (const [key, list] of Object.entries(items)) {
    const place = list.findIndex((item) => !isObject(item));
    if (place !== -1) return { fault: `${key}[${place}] must be an object.` };
  }
  const untyped = (items.triggers as Record<string, unknown>[]).findIndex(
    ({ type }) => typeof type !== "string" || !Object.hasOwn(TRIGGER_DEFAULTS, type),
  );
  if (untyped !== -1)
    return { fault: `triggers[${untyped}].type must be ${Object.keys(TRIGGER_DEFAULTS).join(", ")}.` };
  const draft = {
    ...EMPTY_DRAFT,
    ...value,
    limits: { ...EMPTY_DRAFT.limits, ...(limits as object | undefined) },
    retry: { ...EMPTY_DRAFT.retry, ...(retry as object | undefined) },
    tools: { ...EMPTY_DRAFT.tools, ...(tools as object | undefined) },
    network: { ...EMPTY_DRAFT.network, ...(network as object | undefined) },
    repositories: (items.repositories as object[]).map((one) => ({ url: "", push: "prefix", ...one })),
    triggers: (items.triggers as TriggerInput[]).map((one) => ({ ...TRIGGER_DEFAULTS[one.type], ...one })),
  };
  return { draft: draft as unknown as Draft };
}

type Form = "text" | "number" | "list" | "object" | "other";
const WORDS: Record<Form, string> = {
  text: "a text",
  number: "a number",
  list: "a list",
  object: "an object",
  other: "something else",
};

function formOf(value: unknown): Form {
  if (typeof value === "string") return "text";
  if (typeof value === "number") return "number";
  if (Array.isArray(value)) return "list";
  return isObject(value) ? "object" : "other";
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
