/** Reads bodies of senders who may write them as they like: JSON, a form, or text. Pure; nothing throws. */
import type { Json, JsonObject } from "#protocol/schema.ts";
import { parseExact, printExact } from "#worker/http/exact-json.ts";
import { isNestedDeeper } from "#worker/http/nesting.ts";
import type { InboundRequest } from "./listener.ts";
import { isObject, jsonObject, NESTING_LIMIT } from "./payload.ts";

const INDENTED_LIMIT_BYTES = 262_144;
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false });

export type BodyReading = { payload: Json } | { reason: string };

/**
 * JSON of any kind is the payload as it is; a form's fields are an object (a field that comes twice is a list), every
 * other text is `{"text": …}`, and an empty body `{}`. `curl -d` calls a JSON object a form: it is read as what it is.
 */
export function readBody({ headers, body }: InboundRequest): BodyReading {
  const text = utf8Text(body);
  if (text === null) return { reason: "The body is neither JSON nor text in UTF-8." };
  if (text === "") return { payload: {} };
  const type = mediaType(headers);
  if (type === null || isJsonType(type)) return readJsonText(text, type !== null);
  if (type !== "application/x-www-form-urlencoded") return { payload: { text } };
  return { payload: (text.startsWith("{") ? jsonObject(body) : null) ?? formFields(text) };
}

/** @param mustBeJson says whether text that is no JSON is a fault, or just text. */
export function readJsonText(text: string, mustBeJson: boolean): BodyReading {
  if (isNestedDeeper(text, NESTING_LIMIT)) return { reason: `The body is nested deeper than ${NESTING_LIMIT} levels.` };
  try {
    const payload = parseExact(text);
    return { payload };
  } catch {
    return mustBeJson ? { reason: "The body is called JSON, and is none." } : { payload: { text } };
  }
}

/** The media type without its parameters, in lower case; null when the sender names none. */
export function mediaType(headers: Headers): string | null {
  const type = headers.get("content-type")?.split(";")[0]?.trim().toLowerCase();
  return type === undefined || type === "" ? null : type;
}

export function isJsonType(type: string): boolean {
  return type === "application/json" || type === "text/json" || type.endsWith("+json");
}

/** @returns null where the bytes are not UTF-8. */
export function utf8Text(bytes: Uint8Array): string | null {
  try {
    return decoder.decode(bytes);
  } catch {
    return null;
  }
}

/**
 * For people and agents: text as it is, everything else as JSON. Null where there is nothing to tell.
 * @param sizeBytes of the request: a long one is not indented, since little of it is told anyway.
 */
export function prettyJson(value: Json, sizeBytes: number): string | null {
  if (value === null) return null;
  if (typeof value === "string") return value;
  return onlyText(value) ?? printExact(value, sizeBytes > INDENTED_LIMIT_BYTES ? 0 : 2);
}

/** The text of `{"text": …}`. */
function onlyText(value: Json): string | null {
  if (!isObject(value)) return null;
  const keys = Object.keys(value);
  return keys.length === 1 && typeof value["text"] === "string" ? value["text"] : null;
}

function formFields(text: string): JsonObject {
  const fields = new Map<string, Json>();
  const given = new URLSearchParams(text);
  for (const name of new Set(given.keys())) {
    const values = given.getAll(name);
    fields.set(name, values.length === 1 ? (values[0] ?? "") : values);
  }
  return Object.fromEntries(fields);
}
