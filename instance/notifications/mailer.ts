/** Which way to mailboxes this instance has. */
import type { Config } from "../config.ts";
import { CloudflareMailer, type MailBinding } from "./cloudflare-mailer.ts";
import type { Mailer } from "./mail.ts";
import { ResendMailer } from "./resend-mailer.ts";

type MailConfig = Pick<Config, "mail">;
type Fetch = (url: string, init: RequestInit) => Promise<Response>;

/** @returns what is to be set before this instance can send e-mail; null where it can. */
export function lackingForMail({ mail }: MailConfig, binding: MailBinding | undefined): string | null {
  if (mail.from === null) return "EMAIL_FROM is not set";
  if (mail.resendKey !== null || binding !== undefined) return null;
  return "RESEND_API_KEY is not set, and wrangler.toml has no send_email binding EMAIL";
}

/** Resend where its key is set, else Cloudflare's e-mail service. @returns null where there is neither. */
export function mailerOf({ mail }: MailConfig, binding: MailBinding | undefined, fetch: Fetch): Mailer | null {
  if (mail.resendKey !== null) return new ResendMailer({ apiKey: mail.resendKey, fetch, now: () => Date.now() });
  return binding === undefined ? null : new CloudflareMailer(binding);
}
