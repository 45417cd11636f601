/** Bare repositories for tests, made with real git. */
import { execFileSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
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

/** Runs git to its end. @returns its standard output, trimmed. @throws when it fails. */
export function git(...args: string[]): string {
  return execFileSync("git", args, { env: ENVIRONMENT, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] }).trim();
}

/** Makes `<root>/<name>.git` with one commit on `main`. @returns its path. */
export function seedUpstream(root: string, name: string, files: Record<string, string>): string {
  const tree = join(root, `${name}.seed`);
  const bare = join(root, `${name}.git`);
  git("init", "--quiet", "--template=", "--initial-branch=main", tree);
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(tree, path)), { recursive: true });
    writeFileSync(join(tree, path), content);
  }
  git("-C", tree, "add", "--all");
  git("-C", tree, "commit", "--quiet", "--allow-empty", "--message", "Begin");
  git("clone", "--quiet", "--template=", "--bare", tree, bare);
  rmSync(tree, { recursive: true });
  return bare;
}
