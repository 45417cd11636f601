/** Whether links and webhooks lead to where people reach the instance. */
import type { Config } from "#instance/config.ts";
import type { Finding } from "#protocol/diagnosis.ts";
import { isLoopback } from "#rules/routine/repository-address.ts";
import { unknown, warning } from "./finding.ts";

const CHECK = "PUBLIC_URL";

/**
 * @param origin to which the request came. An instance may have several addresses: whether it answers at PUBLIC_URL too, only
 * a doctor from outside can tell.
 */
export function addressFindings(
  { publicUrl, isLocal }: Pick<Config, "publicUrl" | "isLocal">,
  origin: string,
): Finding[] {
  if (publicUrl === null) {
    const message = "PUBLIC_URL is not set: links have the address that each request came to.";
    return isLocal ? [] : [warning(CHECK, message, "Set it to the address that people use.")];
  }
  const known = new URL(publicUrl);
  if (known.origin === origin || (isLoopback(known.hostname) && isLoopback(new URL(origin).hostname))) return [];
  const message = `Links and webhooks lead to ${known.origin}, and this was asked at ${origin}.`;
  return [unknown(CHECK, message, `If nobody reaches the instance at ${known.origin}, set PUBLIC_URL to ${origin}.`)];
}
