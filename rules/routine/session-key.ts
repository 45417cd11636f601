/** The template `session_key` of a routine: whether it can be used, and the key that it makes of what has happened. Pure. */
import { characterCount, composed } from "#protocol/characters.ts";
import { type Refusal, refuse } from "#protocol/errors.ts";
import type { SessionKey, Wake } from "#protocol/occurrence.ts";
import type { RoutineDefinition } from "#protocol/routine.ts";
import { SESSION_KEY_LIMIT } from "#protocol/session-key.ts";
import type { SourceEvent } from "#protocol/source-event.ts";
import { type FilteredEvent, type Found, findField } from "../filters/field-lookup.ts";

type Keyed = Pick<RoutineDefinition, "session" | "session_key">;
type Happened = Pick<Wake, "type" | "trigger_id" | "text" | "watched_key">;
type EventRoot = "github" | "webhook" | "event" | "routine";

/** What a path may begin with; what each has after that is said in docs/sessions.md. */
const ROOTS = ["trigger", "fire", "github", "webhook", "event", "routine", "watch"] as const;
type Root = (typeof ROOTS)[number];
/** All that these have. */
const NAMED: Partial<Record<Root, readonly string[]>> = {
  trigger: ["type", "id"],
  fire: ["text"],
  watch: ["key"],
};
const EXAMPLE = "{{github.repository}}#{{github.number}}";

/** A text as it is, or the path of a fact. */
type Part = { text: string } | { root: Root; rest: string; path: string };

/** Why a definition can't be saved with these; null when nothing is wrong. */
export function sessionKeyFault({ session, session_key }: Keyed): string | null {
  if (session === "new") {
    return session_key === null ? null : 'is for session: "keyed" alone: set that, or leave it out (null in a change)';
  }
  if (session_key === null) return `is needed with session: "keyed", for example "${EXAMPLE}"`;
  const parts = partsOf(session_key);
  return typeof parts === "string" ? parts : null;
}

/** The same as an answer to whoever saves it. */
export function sessionKeyRefusal(keyed: Keyed): Refusal | null {
  const message = sessionKeyFault(keyed);
  if (message === null) return null;
  const field = "session_key";
  return refuse("invalid_request", { message: `${field}: ${message}`, field, issues: [{ field, message }] }).refusal;
}

/** @param event null for what no source has told of. @returns undefined for a routine whose runs have sessions of their own. */
export function sessionKeyOf(
  { session, session_key: template }: Keyed,
  happened: Happened,
  event: SourceEvent | null,
): SessionKey | undefined {
  if (session === "new" || template === null) return undefined;
  const parts = partsOf(template);
  if (typeof parts === "string") return { fault: `session_key ${parts}` };
  let key = "";
  for (const part of parts) {
    const value = "text" in part ? part : textFrom(factOf(part, happened, event));
    if ("fault" in value) return { fault: `${"path" in part ? part.path : ""} ${value.fault}` };
    key += value.text;
  }
  const known = composed(key);
  return characterCount(known) <= SESSION_KEY_LIMIT
    ? { key: known }
    : { fault: `The key would be longer than ${SESSION_KEY_LIMIT} characters` };
}

/** @returns what is wrong with the template, where it can't be read. */
function partsOf(template: string): Part[] | string {
  const parts: Part[] = [];
  for (const [place, piece] of template.split("{{").entries()) {
    const [inside = "", ...after] = place === 0 ? ["", piece] : piece.split("}}");
    if (place > 0) {
      if (after.length === 0) return `has {{ without }}: "{{${piece.slice(0, 40)}"`;
      const part = partOf(inside.trim());
      if (typeof part === "string") return part;
      parts.push(part);
    }
    const text = after.join("}}");
    if (text.includes("}}")) return "has }} without {{";
    if (text !== "") parts.push({ text });
  }
  return parts;
}

function partOf(path: string): Part | string {
  const dot = path.indexOf(".");
  const [name, rest] = dot === -1 ? [path, ""] : [path.slice(0, dot), path.slice(dot + 1)];
  const root = ROOTS.find((one) => one === name);
  if (root === undefined) return `does not know {{${path}}}: a path begins with ${ROOTS.join(", ")}, as in ${EXAMPLE}`;
  const names = NAMED[root];
  if (names !== undefined && !names.includes(rest)) {
    return `does not know {{${path}}}: ${root} has ${names.map((one) => `${root}.${one}`).join(" and ")}`;
  }
  if (rest === "") return `needs a field after {{${path}: ${root}.…, as in ${EXAMPLE}`;
  return { root, rest, path };
}

function factOf({ root, rest }: Extract<Part, { root: Root }>, happened: Happened, event: SourceEvent | null): Found {
  const { type, trigger_id, text, watched_key } = happened;
  if (root === "trigger") return only(rest === "type" ? type : trigger_id);
  if (root === "fire") return only(type === "api" || type === "manual" ? text : null);
  if (root === "watch") return only(watched_key ?? null);
  return event === null || rootOf(event) !== root ? { kind: "missing" } : findField(seenBy(event), rest);
}

/** What comes to an endpoint is one kind, whatever its source. */
function rootOf({ source }: SourceEvent): EventRoot {
  return source === "github" || source === "event" || source === "routine" ? source : "webhook";
}

function seenBy({ payload, fields }: SourceEvent): FilteredEvent {
  return { payload, fields };
}

function only(value: string | null): Found {
  return value === null ? { kind: "missing" } : { kind: "one", value };
}

/** Only what names one thing can be part of a key: an empty value would put together what has nothing to do with another. */
function textFrom(found: Found): { text: string } | { fault: string } {
  if (found.kind === "missing") return { fault: "is missing" };
  // What is spent on looking is a path through a long list.
  if (found.kind === "list" || found.kind === "spent" || typeof found.value === "object")
    return { fault: "is not one text or number" };
  const text = String(found.value);
  if (text === "") return { fault: "is empty" };
  // Half of a pair of surrogates is stored as a replacement character: other keys would be the same then.
  return text.isWellFormed() ? { text } : { fault: "is not well-formed Unicode" };
}
