/** One try at sending a notification. What it tells of a failure quotes neither the address with its secrets nor the answer. */
import type { Destination } from "#protocol/notification.ts";
import { webhookFault } from "#protocol/notification.ts";
import { retryAfterSeconds } from "#rules/calls/git-answers.ts";
import type { SecretUser } from "#rules/secrets/scope.ts";
import type { Config } from "../config.ts";
import { signedHeaders, signingKeysOf } from "./sign-webhook.ts";

/**
 * Null when it went through. `isUnsent`: its address could not be made up, and nobody was asked. `afterMs`: how long the
 * receiver asks to be left alone.
 */
export type PostFailure = { error: string; isGone: boolean; isUnsent?: true; afterMs?: number } | null;

export interface PostedNotification {
  id: string;
  routineId: string;
  destination: Destination;
  body: string;
}

type FilledAddress = { ok: true; text: string } | { ok: false; fault: { detail: string } };

interface Parts {
  config: Pick<Config, "signingKeys">;
  secrets: { fillText(text: string, user: SecretUser): Promise<FilledAddress> };
  fetch(url: string, init: RequestInit): Promise<Response>;
  now(): number;
}

const DEADLINE_MS = 10_000;
const SLACK_HOSTS = ["hooks.slack.com", "hooks.slack-gov.com"];
const GONE = 410;
const UNSENT = { isGone: false, isUnsent: true } as const;

/** Makes one try, within 10 seconds, and follows no redirect. Never rejects. */
export async function postNotification(parts: Parts, posted: PostedNotification): Promise<PostFailure> {
  const { id, routineId, destination, body } = posted;
  const { by, address } = destination;
  // A secret of some environments alone is none of a notification's.
  const filled = await parts.secrets.fillText(address, { routineId, environmentId: "" });
  if (!filled.ok) return { error: `The secret of the address can't be used. ${filled.fault.detail}`, ...UNSENT };
  const fault = addressFault(by, address, filled.text);
  if (fault !== null) return { error: fault, ...UNSENT };
  const nowMs = parts.now();
  const headers =
    by === "slack"
      ? { "content-type": "application/json" }
      : await signedHeaders({ id, body, nowMs }, await signingKeysOf(parts.config.signingKeys, address));
  try {
    const signal = AbortSignal.timeout(DEADLINE_MS);
    const answer = await parts.fetch(filled.text, { method: "POST", headers, body, redirect: "manual", signal });
    // Nobody reads it, and it may be without an end.
    void answer.body?.cancel().catch(() => undefined);
    return failureOf(answer, parts.now());
  } catch (error) {
    const isLate = error instanceof Error && error.name === "TimeoutError";
    return { error: isLate ? "No answer within 10 seconds." : "No connection, or it broke off.", isGone: false };
  }
}

/** What a secret has put into the address must not lead elsewhere than the rule says. */
function addressFault(by: Destination["by"], address: string, filled: string): string | null {
  const url = URL.parse(filled);
  if (url === null || webhookFault(filled) !== null)
    return "With its secrets in it the address is no public https address.";
  if (by === "slack")
    return SLACK_HOSTS.includes(url.hostname) ? null : "The secret holds no address of Slack's webhooks.";
  return url.origin === new URL(address).origin ? null : "With its secrets in it the address leads to another host.";
}

function failureOf({ status, headers }: Response, nowMs: number): PostFailure {
  if (status >= 200 && status < 300) return null;
  if (status >= 300 && status < 400) return { error: `Answered ${status}: redirects are not followed.`, isGone: false };
  const after = retryAfterSeconds(headers, nowMs);
  return {
    error: `Answered ${status}.`,
    isGone: status === GONE,
    ...(after === null ? {} : { afterMs: after * 1_000 }),
  };
}
