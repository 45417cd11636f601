/**
 * Whether a request whose id is not signed can also be known by its body: whoever has seen it could send it again under
 * another id. Not where a source may send one body for two events. Pure.
 */
import type { JsonObject } from "#protocol/schema.ts";
import type { WebhookSource } from "#protocol/webhook-sources.ts";

/**
 * Linear signs the time of sending within the body, Jira that of what happened. Of Sentry's resources these have an id of what happened; an issue that
 * is resolved, opened again and resolved, and an alert that fires again, say the same twice.
 */
const SENTRY_ONCE: readonly string[] = ["error", "event_alert", "seer"];
/** Of these resources only the event of their creation comes once. */
const SENTRY_MADE: readonly string[] = ["issue", "comment"];

/**
 * @param name of the event.
 * @returns `once` where the source says the same only once, `lately` where it may say it again another day: a branch of
 * Bitbucket's can go to and fro. Null where a body tells nothing of its event.
 */
export function knownByBody(source: WebhookSource, name: string, payload: JsonObject): "once" | "lately" | null {
  if (source === "linear") return "once";
  // Its time lies within the body.
  if (source === "jira") return typeof payload["timestamp"] === "number" ? "once" : null;
  if (source === "bitbucket") return "lately";
  if (source !== "sentry") return null;
  const isOnce = SENTRY_ONCE.includes(name) || (SENTRY_MADE.includes(name) && payload["action"] === "created");
  return isOnce ? "once" : null;
}
