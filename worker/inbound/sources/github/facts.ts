/** What admission and the sandbox need to know of a GitHub event. Pure; nothing throws. */

import type { JsonObject } from "#protocol/schema.ts";
import type { GithubFacts } from "#protocol/source-event.ts";
import { textAt, valueAt } from "../payload.ts";
import { checkoutOf } from "./checkout.ts";
import { idAt } from "./pull-request.ts";
import { pushMarks } from "./pushed.ts";
import { isStrangers } from "./strangers.ts";
import { actorOf } from "./who.ts";

export function githubFacts(name: string, payload: JsonObject): GithubFacts {
  return {
    repository: repositoryOf(payload),
    actor: actorOf(payload),
    is_stranger: isStrangers(name, payload),
    checkout: checkoutOf(name, payload),
    push_marks: pushMarks(name, payload),
  };
}

/** One that does not say that it is private is public. */
function repositoryOf(payload: JsonObject): GithubFacts["repository"] {
  const id = idAt(payload, "repository.id");
  const fullName = textAt(payload, "repository.full_name");
  if (id === null || fullName === null) return null;
  return { id, full_name: fullName, is_private: valueAt(payload, "repository.private") === true };
}
