/** Headers of a delivery as they are kept: without credentials and signatures. Pure. */

import { beginningOf } from "#protocol/well-formed.ts";

/** What carries credentials or signatures, by name. */
const CREDENTIAL =
  /auth(?!or(?!i[sz]))|cookie|token|secret|signature|hmac|(?:^|[-_])key|apikey|passw|credential|jwt|session|^x-amz-/i;
/**
 * Headers whose names end with "key" and that are no credentials: they identify what was sent, and are needed when it is
 * read again.
 */
const NAMING = /(?:idempotency|ordering|routing|partition|message|event)[-_]?key$/i;
/** What the platform adds, which says nothing about the event. */
const OF_THE_PLATFORM = /^(?:cf-|x-forwarded-|x-real-ip$|true-client-ip$|mf-|cdn-loop$)/i;
/**
 * Headers that listeners read are all kept, and whole: they are read again, and whatever a sender adds must not push one out, be it
 * called as they are. All headers of a request together are bounded by the platform.
 */
const READ_AGAIN =
  /^(?:content-type|request-id|webhook-|svix-|idempotency-key|ce-|x-gitlab-|x-github-|x-goog-|x-slack-|sentry-|linear-|x-pagerduty-|x-event-key$|x-request-uuid$|x-atlassian-)/i;
const VALUE_LIMIT = 1_000;
/** Of the others. */
const HEADERS_LIMIT = 60;

/**
 * @param secretHeader in which the endpoint's sender shows a secret or a signature, beside those that tell it by their name.
 * @returns names in lower case; a credential's value says that it was there.
 */
export function keptHeaders(headers: Headers, secretHeader: string | null = null): Record<string, string> {
  const isSecret = (name: string) =>
    name === secretHeader?.toLowerCase() || (CREDENTIAL.test(name) && !NAMING.test(name));
  const told = [...headers].filter(([name]) => !OF_THE_PLATFORM.test(name));
  const { again = [], others = [] } = Object.groupBy(told, ([name]) => (READ_AGAIN.test(name) ? "again" : "others"));
  return Object.fromEntries(
    [...again, ...others.slice(0, HEADERS_LIMIT)].map(([name, value]) => {
      if (isSecret(name)) return [name, "[redacted]"];
      return [name, READ_AGAIN.test(name) ? value : beginningOf(value, VALUE_LIMIT)];
    }),
  );
}
