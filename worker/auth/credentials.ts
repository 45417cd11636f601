/** Pure: the secrets that a request carries, taken out of its headers. */

/** The token of `Authorization: Bearer …`, or null when the header is missing or of another form. */
export function bearerToken(authorization: string | undefined): string | null {
  return /^Bearer +([^\s]+) *$/i.exec(authorization ?? "")?.[1] ?? null;
}

/** The password of `Authorization: Basic …`, or null when the header is missing or of another form. */
export function basicPassword(authorization: string | undefined): string | null {
  const encoded = /^Basic +([A-Za-z0-9+/=]+) *$/i.exec(authorization ?? "")?.[1];
  if (encoded === undefined) return null;
  try {
    const pair = atob(encoded);
    const colon = pair.indexOf(":");
    return colon === -1 ? null : pair.slice(colon + 1);
  } catch {
    return null;
  }
}

/** The header for a pair `user:password`. */
export function basicAuthorization(pair: string): string {
  const bytes = new TextEncoder().encode(pair);
  return `Basic ${btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""))}`;
}
