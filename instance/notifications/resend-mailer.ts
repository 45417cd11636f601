/**
 * Mail by Resend's API. For 24 hours it sends one with a key that it knows already no second time.
 * @see https://resend.com/docs/api-reference/emails/send-email
 */
import type { Mail, Mailer } from "./mail.ts";
import { failureOf, POST_DEADLINE_MS, type PostFailure, unansweredFailure } from "./post-failure.ts";

const ADDRESS = "https://api.resend.com/emails";
/** What the key or the sender's domain is refused for, or has used up. */
const OUR_OWN = [401, 403, 429];

interface Parts {
  apiKey: string;
  fetch(url: string, init: RequestInit): Promise<Response>;
  now(): number;
  deadlineMs?: number;
}

export class ResendMailer implements Mailer {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  async send({ to, ...mail }: Mail, key: string): Promise<PostFailure> {
    const { apiKey, fetch, now, deadlineMs = POST_DEADLINE_MS } = this.#parts;
    const headers = {
      authorization: `Bearer ${apiKey}`,
      "content-type": "application/json",
      "idempotency-key": key,
    };
    const body = JSON.stringify({ ...mail, to: [to] });
    try {
      const signal = AbortSignal.timeout(deadlineMs);
      const answer = await fetch(ADDRESS, { method: "POST", headers, body, redirect: "manual", signal });
      void answer.body?.cancel().catch(() => undefined);
      const failure = failureOf(answer, now());
      if (failure === null || !OUR_OWN.includes(answer.status)) return failure;
      return { ...failure, error: `Resend: ${failure.error} Check RESEND_API_KEY and EMAIL_FROM.`, isUnsent: true };
    } catch (error) {
      return unansweredFailure(error);
    }
  }
}
