/** Who did something, and whether the repository knows whoever wrote it. Pure. */

import type { JsonObject } from "#protocol/schema.ts";
import type { GithubFacts } from "#protocol/source-event.ts";
import { isObject, textAt, valueAt } from "../payload.ts";

/** Who may write to a repository, or belongs to those who own it. */
const KNOWN_ASSOCIATIONS = ["OWNER", "MEMBER", "COLLABORATOR"];

/** What GitHub tells the association for, the narrowest first: a comment's author before that of what it stands under. */
const AUTHORED = ["comment", "review", "pull_request", "issue", "discussion", "parent_issue"] as const;

export function actorOf(payload: JsonObject): GithubFacts["actor"] {
  const login = textAt(payload, "sender.login") ?? textAt(payload, "pusher.name");
  return login === null ? null : { login, association: associationOf(payload) };
}

/** Whether the author of a part of the payload is known to the repository; not when the part is missing. */
export function isByKnown(payload: JsonObject, part: string): boolean {
  return KNOWN_ASSOCIATIONS.includes(textAt(payload, `${part}.author_association`) ?? "");
}

function associationOf(payload: JsonObject): string | null {
  const part = AUTHORED.find((name) => isObject(valueAt(payload, name)));
  return part === undefined ? null : textAt(payload, `${part}.author_association`);
}
