/**
 * Mail by the binding of Cloudflare's e-mail service. It knows no key of a mail: what was not answered may come twice.
 * @see https://developers.cloudflare.com/email-service/api/send-emails/workers-api/
 */
import { withinDeadline } from "../in-time.ts";
import type { Mail, Mailer } from "./mail.ts";
import { POST_DEADLINE_MS, type PostFailure, unansweredFailure } from "./post-failure.ts";

/** Of `SendEmail` what is used. */
export interface MailBinding {
  send(mail: Mail): Promise<unknown>;
}

/** What the sender is refused for, or has used up. */
const OUR_OWN = [
  "E_SENDER_NOT_VERIFIED",
  "E_SENDER_DOMAIN_NOT_AVAILABLE",
  "E_RATE_LIMIT_EXCEEDED",
  "E_DAILY_LIMIT_EXCEEDED",
];
/** Mail to it has come back, or was called unwanted: the service sends nothing there any more. */
const GONE = "E_RECIPIENT_SUPPRESSED";

export class CloudflareMailer implements Mailer {
  readonly #binding: MailBinding;
  readonly #deadlineMs: number;

  constructor(binding: MailBinding, deadlineMs = POST_DEADLINE_MS) {
    this.#binding = binding;
    this.#deadlineMs = deadlineMs;
  }

  async send(mail: Mail): Promise<PostFailure> {
    try {
      await withinDeadline(this.#binding.send(mail), this.#deadlineMs, "the e-mail service");
      return null;
    } catch (error) {
      const code = codeOf(error);
      if (code === null) return unansweredFailure(error);
      const words = `Cloudflare's e-mail service refused it: ${code}.`;
      if (OUR_OWN.includes(code)) return { error: `${words} Check EMAIL_FROM.`, isGone: false, isUnsent: true };
      return { error: words, isGone: code === GONE };
    }
  }
}

/** Its message may quote what was sent; its code is one of a list. */
function codeOf(error: unknown): string | null {
  const code: unknown = typeof error === "object" && error !== null ? Reflect.get(error, "code") : null;
  return typeof code === "string" && /^E_[A-Z_]{1,60}$/.test(code) ? code : null;
}
