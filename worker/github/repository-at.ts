/** Which of GitHub's repositories an address is. */
import type { Repository } from "./installation-tokens.ts";

/** @param webOrigin GitHub's, for instance `https://github.com`. @returns null when the address is none of a repository on GitHub. */
export function repositoryAt(url: string, webOrigin: string): Repository | null {
  const { origin, pathname } = new URL(url);
  if (origin !== webOrigin) return null;
  const [, owner, name] = /^\/([\w.-]+)\/([\w.-]+)(?:\/|$)/.exec(pathname) ?? [];
  return owner === undefined || name === undefined ? null : { owner, repo: name.replace(/\.git$/, "") };
}
