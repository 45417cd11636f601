/** Bare repositories for tests, made with real git. */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

const ENVIRONMENT = {
  PATH: process.env["PATH"] ?? "",
  GIT_CONFIG_GLOBAL: "/dev/null",
  GIT_CONFIG_NOSYSTEM: "1",
  GIT_AUTHOR_NAME: "Ada",
  GIT_AUTHOR_EMAIL: "ada@example.com",
  GIT_COMMITTER_NAME: "Ada",
  GIT_COMMITTER_EMAIL: "ada@example.com",
};

/** Runs git to its end. @returns its standard output, without the last line feeds. @throws when it fails. */
export function git(...args: string[]): string {
  return execFileSync("git", args, { env: ENVIRONMENT, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] }).replace(
    /\n+$/,
    "",
  );
}

/** Path → content, where a symbolic link leads, or null for a file or folder that is taken away. */
export type Files = Record<string, string | { link: string } | null>;

/** Makes `<root>/<name>.git` with one commit on `main`. @returns its path. */
export function seedUpstream(root: string, name: string, files: Files): string {
  const tree = join(root, `${name}.seed`);
  const bare = join(root, `${name}.git`);
  git("init", "--quiet", "--template=", "--initial-branch=main", tree);
  writeTree(tree, files);
  git("-C", tree, "add", "--all");
  git("-C", tree, "commit", "--quiet", "--allow-empty", "--message", "Begin");
  git("clone", "--quiet", "--template=", "--bare", tree, bare);
  rmSync(tree, { recursive: true });
  return bare;
}

/** Puts a commit on top of another, and lets a ref of the bare repository point to it. @returns the commit. */
export function commitTo(bare: string, ref: string, files: Files, onto = "main"): string {
  const tree = mkdtempSync(join(tmpdir(), "reveille-commit-"));
  git("clone", "--quiet", "--template=", "--no-checkout", bare, tree);
  git("-C", tree, "checkout", "--quiet", "--detach", git("-C", bare, "rev-parse", onto));
  writeTree(tree, files);
  git("-C", tree, "add", "--all", "--force");
  git("-C", tree, "commit", "--quiet", "--message", `Change ${ref}`);
  git("-C", tree, "push", "--quiet", "--force", "origin", `HEAD:${ref}`);
  const commit = git("-C", tree, "rev-parse", "HEAD");
  rmSync(tree, { recursive: true });
  return commit;
}

function writeTree(tree: string, files: Files): void {
  for (const [path, content] of Object.entries(files)) {
    const place = join(tree, path);
    rmSync(place, { recursive: true, force: true });
    if (content === null) continue;
    mkdirSync(dirname(place), { recursive: true });
    if (typeof content === "string") writeFileSync(place, content);
    else symlinkSync(content.link, place);
  }
}
