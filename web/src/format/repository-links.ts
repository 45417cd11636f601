/** Pure: where a repository's branches and commits are looked at; null for a host of which that is not known. */

export function branchLink(repository: string, branch: string): string | null {
  const page = githubPage(repository);
  return page === null ? null : `${page}/tree/${branch.toWellFormed().split("/").map(encodeURIComponent).join("/")}`;
}

export function commitLink(repository: string, commit: string): string | null {
  const page = githubPage(repository);
  return page === null ? null : `${page}/commit/${encodeURIComponent(commit.toWellFormed())}`;
}

function githubPage(repository: string): string | null {
  if (!URL.canParse(repository)) return null;
  const { protocol, host, pathname } = new URL(repository);
  const [, owner, name, ...more] = pathname.split("/");
  if (protocol !== "https:" || host !== "github.com" || !owner || !name || more.some((part) => part !== ""))
    return null;
  return `https://github.com/${owner}/${name.replace(/\.git$/, "")}`;
}
