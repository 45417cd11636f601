/** Makes the one shape of events out of what GitHub sent. Pure; nothing throws, whatever the payload. */

import type { Json } from "#protocol/schema.ts";
import type { GithubFacts, SourceReading } from "#protocol/source-event.ts";
import { isObject, readEvent, textAt } from "../payload.ts";
import { githubContext } from "./context.ts";
import { githubFacts } from "./facts.ts";
import { fieldsOf } from "./pull-request-fields.ts";
import { summaryOf } from "./summary.ts";

export type GithubReading =
  | { kind: "event"; event: SourceReading; github: GithubFacts }
  /** Understood, and nothing that a trigger can wait for. */
  | { kind: "ignored"; reason: string };

/** As a trigger's `event` can have it. */
const NAME = /^[a-z][a-z0-9_]{1,63}$/;

/**
 * Every event of GitHub's is read, also one whose name is new.
 * @param name from `X-GitHub-Event`. @param deliveryId from `X-GitHub-Delivery`: the event's dedupe key.
 */
export function readGithub(name: string, deliveryId: string, payload: Json): GithubReading {
  if (!NAME.test(name)) return { kind: "ignored", reason: "X-GitHub-Event is not the name of an event." };
  if (!isObject(payload)) return { kind: "ignored", reason: "The body is not a JSON object." };
  if (name === "ping") return { kind: "ignored", reason: "GitHub tells that the webhook has been set up." };
  const event = readEvent({
    name,
    action: textAt(payload, "action"),
    summary: summaryOf(name, payload),
    dedupe_key: deliveryId,
    payload,
    fields: fieldsOf(payload),
    context: githubContext(name, payload),
  });
  return { kind: "event", event, github: githubFacts(name, payload) };
}
