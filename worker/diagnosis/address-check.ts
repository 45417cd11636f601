/** Whether links and webhooks lead to where people reach the instance. */
import type { Config } from "#instance/config.ts";
import type { Finding } from "#protocol/diagnosis.ts";
import { isLoopback } from "#rules/routine/repository-address.ts";
import { warning, well } from "./finding.ts";

const CHECK = "PUBLIC_URL";

/** @param origin to which the request came. A local instance has several names for one machine. */
export function addressFindings(
  { publicUrl, isLocal }: Pick<Config, "publicUrl" | "isLocal">,
  origin: string,
): Finding[] {
  if (publicUrl === null) {
    if (isLocal) return [well(CHECK, "Links have the address that each request came to.")];
    const message = "PUBLIC_URL is not set: links have the address that each request came to.";
    return [warning(CHECK, message, "Set it to the address that people use.")];
  }
  const known = new URL(publicUrl);
  if (known.origin === origin || (isLoopback(known.hostname) && isLoopback(new URL(origin).hostname))) {
    return [well(CHECK, `Links and webhooks lead to ${known.origin}, where this was asked.`)];
  }
  const message = `Links and webhooks lead to ${known.origin}, and this was asked at ${origin}.`;
  const hint =
    "If people reach the instance at the second address, set PUBLIC_URL to it; with several addresses, to the one that is to stay.";
  return [warning(CHECK, message, hint)];
}
