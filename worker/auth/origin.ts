/** Pure: whether a browser's `Origin` is the instance's own. */

/**
 * @param origin the request's `Origin` header.
 * @param requestUrl the address that the request was sent to.
 * @param publicUrl the instance's PUBLIC_URL, when it has one.
 */
export function isOwnOrigin(origin: string | undefined, requestUrl: string, publicUrl: string | null): boolean {
  if (origin === undefined) return false;
  return origin === new URL(requestUrl).origin || (publicUrl !== null && origin === new URL(publicUrl).origin);
}
