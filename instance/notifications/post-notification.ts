/** One try at sending a notification. What it tells of a failure quotes neither the address with its secrets nor the answer. */
import type { ChatKind, Destination } from "#protocol/notification.ts";
import { webhookFault } from "#protocol/notification.ts";
import { readMail } from "#rules/run/mail-body.ts";
import type { SecretUser } from "#rules/secrets/scope.ts";
import type { Config } from "../config.ts";
import type { Mailer } from "./mail.ts";
import { failureOf, POST_DEADLINE_MS, type PostFailure, unansweredFailure } from "./post-failure.ts";
import { signedHeaders, signingKeysOf } from "./sign-webhook.ts";

export interface PostedNotification {
  id: string;
  routineId: string;
  destination: Destination;
  body: string;
  /** When it has gone through before, and is sent again by hand. */
  sentBefore: string | null;
}

type FilledAddress = { ok: true; text: string } | { ok: false; fault: { detail: string } };

interface Parts {
  config: Pick<Config, "signingKeys" | "mail">;
  secrets: { fillText(text: string, user: SecretUser): Promise<FilledAddress> };
  fetch(url: string, init: RequestInit): Promise<Response>;
  /** Null where this instance sends no e-mail. */
  mailer: Mailer | null;
  now(): number;
}

/** What a secret may hold of each chat, so that nothing is sent elsewhere. */
const CHAT_ADDRESSES: Record<ChatKind, { title: string; form: RegExp }> = {
  slack: { title: "Slack's webhooks", form: /^https:\/\/hooks\.slack(?:-gov)?\.com\// },
  telegram: {
    title: "Telegram's sendMessage with chat_id=…",
    form: /^https:\/\/api\.telegram\.org\/bot[0-9]+:[\w-]+\/sendMessage\?(?:[^#]*&)?chat_id=[^&#]/,
  },
  discord: {
    title: "Discord's webhooks",
    form: /^https:\/\/(?:(?:ptb|canary)\.)?discord(?:app)?\.com\/api\/(?:v[0-9]+\/)?webhooks\/[0-9]+\/[\w-]+/,
  },
};
const UNSENT = { isGone: false, isUnsent: true } as const;

/** Makes one try, within 10 seconds, and follows no redirect. Never rejects. */
export async function postNotification(parts: Parts, posted: PostedNotification): Promise<PostFailure> {
  const { id, routineId, destination, body } = posted;
  const { by, address } = destination;
  if (by === "email") return await sendMail(parts, posted);
  // A secret of some environments alone is none of a notification's.
  const filled = await parts.secrets.fillText(address, { routineId, environmentId: "" });
  if (!filled.ok) return { error: `The secret of the address can't be used. ${filled.fault.detail}`, ...UNSENT };
  const fault = addressFault(by, address, filled.text);
  if (fault !== null) return { error: fault, ...UNSENT };
  const nowMs = parts.now();
  const headers =
    by === "webhook"
      ? await signedHeaders({ id, body, nowMs }, await signingKeysOf(parts.config.signingKeys, address))
      : { "content-type": "application/json" };
  const { url, body: sent } = by === "telegram" ? toTelegram(filled.text, body) : { url: filled.text, body };
  try {
    const signal = AbortSignal.timeout(POST_DEADLINE_MS);
    const answer = await parts.fetch(url, { method: "POST", headers, body: sent, redirect: "manual", signal });
    // Nobody reads it, and it may be without an end.
    void answer.body?.cancel().catch(() => undefined);
    return failureOf(answer, parts.now());
  } catch (error) {
    return unansweredFailure(error);
  }
}

/** One that has gone through, and is sent again by hand, is another mail: with the key of the first it would not be sent. */
async function sendMail({ config, mailer }: Parts, posted: PostedNotification): Promise<PostFailure> {
  const { id, destination, body, sentBefore } = posted;
  const { from } = config.mail;
  if (mailer === null || from === null) {
    return { error: "This instance sends no e-mail: EMAIL_FROM, or the way to send it, is not set.", ...UNSENT };
  }
  const key = sentBefore === null ? id : `${id}/${sentBefore}`;
  return await mailer.send({ from, to: destination.address, ...readMail(body) }, key);
}

/** Telegram takes all of a call in its body: what the address says of the chat goes there. */
function toTelegram(address: string, body: string): { url: string; body: string } {
  const url = new URL(address);
  const given = Object.fromEntries(url.searchParams);
  url.search = "";
  return { url: url.href, body: JSON.stringify({ ...given, ...JSON.parse(body) }) };
}

/** What a secret has put into the address must not lead elsewhere than the rule says. */
function addressFault(by: Destination["by"], address: string, filled: string): string | null {
  const url = URL.parse(filled);
  if (url === null || webhookFault(filled) !== null)
    return "With its secrets in it the address is no public https address.";
  if (by === "slack" || by === "telegram" || by === "discord") {
    const { title, form } = CHAT_ADDRESSES[by];
    return form.test(filled) ? null : `The secret holds no address of ${title}.`;
  }
  return url.origin === new URL(address).origin ? null : "With its secrets in it the address leads to another host.";
}
