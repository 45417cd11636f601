/** Which of GitHub's payloads can truly come twice, letter for letter. Pure; nothing throws. */
import type { JsonObject } from "#protocol/schema.ts";
import { isObject, textAt, valueAt } from "../payload.ts";

/** Parts that say where, by whom and with what, not what happened: other events have the same. */
const SURROUNDINGS: readonly string[] = [
  "assignee",
  "changes",
  "client_payload",
  "enterprise",
  "inputs",
  "installation",
  "label",
  "member",
  "membership",
  "organization",
  "pusher",
  "repository",
  "requested_action",
  "requested_reviewer",
  "requested_team",
  "requester",
  "sender",
  "team",
  "user",
];
/** By which one thing that happened is told from another. */
const MARKS = ["id", "node_id", "number", "sha", "head_sha", "after"] as const;
/** What happens to a thing once. Everything else can be undone and done again, and needs a time to be told apart. */
const ONCE: readonly (string | null)[] = [
  null,
  "checks_requested",
  "completed",
  "created",
  "deleted",
  "destroyed",
  "in_progress",
  "opened",
  "published",
  "queued",
  "released",
  "requested",
  "submitted",
  "synchronize",
  "waiting",
];
/** Done under a thing whose times do not change by it. */
const UNTIMED: readonly (string | null)[] = ["pinned", "requested_action", "rerequested", "unpinned"];

/**
 * Whether two events may have one body, because nothing in it is this event's own: a `workflow_dispatch`, a `star`, a check
 * that is asked for again. Of all others a second body like the first is the first one again.
 */
export function isRepeatable(payload: JsonObject): boolean {
  const action = textAt(payload, "action");
  if (UNTIMED.includes(action) || isObject(payload["thread"])) return true;
  const parts = Object.entries(payload).flatMap(([name, part]) =>
    !SURROUNDINGS.includes(name) && isObject(part) ? [part] : [],
  );
  const marked = [payload, ...parts].filter(hasMark);
  return marked.length === 0 || !(ONCE.includes(action) || marked.some(hasTime));
}

function hasMark(part: JsonObject): boolean {
  return MARKS.some((mark) => isTold(valueAt(part, mark)));
}

function hasTime(part: JsonObject): boolean {
  return Object.entries(part).some(([name, value]) => name.endsWith("_at") && isTold(value));
}

function isTold(value: unknown): boolean {
  return typeof value === "number" || (typeof value === "string" && value !== "");
}
