/** Pure: whether a browser's `Origin` is the instance's own. */
import { isLoopback } from "#rules/routine/repository-address.ts";

/**
 * With PUBLIC_URL only that address is the instance's own: whatever another name that leads here has in `Host` counts for
 * nothing, so that a foreign name which somebody points at the instance is a foreign site. Names of the machine itself are
 * the same address.
 * @param origin the request's `Origin` header.
 * @param requestUrl the address that the request was sent to: it counts where there is no PUBLIC_URL.
 * @param publicUrl the instance's PUBLIC_URL, when it has one.
 */
export function isOwnOrigin(origin: string | undefined, requestUrl: string, publicUrl: string | null): boolean {
  if (origin === undefined || !URL.canParse(origin)) return false;
  const [given, own] = [new URL(origin), new URL(publicUrl ?? requestUrl)];
  if (origin === own.origin) return true;
  const isSamePlace = given.protocol === own.protocol && given.port === own.port && given.origin === origin;
  return publicUrl !== null && isSamePlace && isLoopback(given.hostname) && isLoopback(own.hostname);
}
