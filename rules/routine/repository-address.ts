/** Pure: which repository addresses an instance takes beyond what the schema says. */
import { type Refusal, refuse } from "#protocol/errors.ts";
import type { Repository } from "#protocol/repository.ts";

/** Plain http carries credentials and code unprotected: a local instance may use it on its own machine, no other may. */
export function repositoriesRefusal(
  repositories: readonly Pick<Repository, "url">[],
  isLocal: boolean,
): Refusal | null {
  const issues = repositories.flatMap(({ url }, place) => {
    const { protocol, hostname } = new URL(url);
    if (protocol === "https:" || (isLocal && isLoopback(hostname))) return [];
    return [{ field: `repositories[${place}].url`, message: `must be an https address, not ${JSON.stringify(url)}` }];
  });
  const [first] = issues;
  if (first === undefined) return null;
  return refuse("invalid_request", { message: `${first.field}: ${first.message}`, field: first.field, issues }).refusal;
}

/** @param hostname as `URL` gives it: lower case, addresses in their usual form. */
export function isLoopback(hostname: string): boolean {
  return hostname === "localhost" || hostname.endsWith(".localhost") || hostname === "[::1]" || isLoopbackV4(hostname);
}

function isLoopbackV4(hostname: string): boolean {
  return /^127\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}$/.test(hostname);
}
