/** Headers of a delivery as they are kept: without what opens doors. Pure. */

/** What carries credentials or signatures, by name. */
const CREDENTIAL =
  /authorization|cookie|token|secret|signature|api-?key|password|credential|^x-amz-security|^cf-access|jwt/i;
/** What the platform adds, which says nothing about the event. */
const OF_THE_PLATFORM = /^(?:cf-|x-forwarded-|x-real-ip$|true-client-ip$|mf-|cdn-loop$)/i;
const VALUE_LIMIT = 1_000;
const HEADERS_LIMIT = 60;

/** @returns names in lower case; a credential's value says that it was there. */
export function keptHeaders(headers: Headers): Record<string, string> {
  const kept = [...headers].filter(([name]) => !OF_THE_PLATFORM.test(name)).slice(0, HEADERS_LIMIT);
  return Object.fromEntries(
    kept.map(([name, value]) => [name, CREDENTIAL.test(name) ? "[redacted]" : value.slice(0, VALUE_LIMIT)]),
  );
}
