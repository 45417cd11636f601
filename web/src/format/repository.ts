/** Pure: a repository's address as people know it. */

/** `https://github.com/acme/app.git` → `acme/app`. */
export function repositoryName(url: string): string {
  const path = URL.canParse(url) ? new URL(url).pathname : url;
  return withoutSlashes(path).replace(/\.git$/, "") || url;
}

/** No pattern for it: one that looks for slashes at the end begins anew at each slash. */
function withoutSlashes(path: string): string {
  let start = 0;
  let end = path.length;
  while (path[start] === "/") start += 1;
  while (end > start && path[end - 1] === "/") end -= 1;
  return path.slice(start, end);
}
