/** Pure: a repository's address as people know it. */

/** `https://github.com/acme/app.git` → `acme/app`. */
export function repositoryName(url: string): string {
  const path = URL.canParse(url) ? new URL(url).pathname : url;
  return path.replace(/^\/+|\/+$/g, "").replace(/\.git$/, "") || url;
}
