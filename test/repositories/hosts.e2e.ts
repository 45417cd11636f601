/** Git hosts that behave in ways that hosts are known for (support/odd-upstream.ts): one run for each. */
import { randomBytes } from "node:crypto";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, it } from "vitest";
import { bash, noSandbox, report } from "../runner/support/bed.ts";
import { seedUpstream } from "../runner/support/upstream.ts";
import { RepositoriesBed, type Row } from "./support/repositories-bed.ts";

const done = [report("done", "Done."), "Bye."];
const push = (branch: string, bytes = 1) =>
  bash(
    `head -c ${bytes} /dev/urandom > big; git add big; git commit -qm Big; git push -q origin HEAD:${branch} && echo pushed`,
  );
/** More than a proxy keeps of a push, so that it can send it again. */
const LONG = 3_000_000;
const plain = (root: string, name: string) => void seedUpstream(root, name, { "README.md": "# App\n" });
const large = (root: string, name: string) =>
  void seedUpstream(root, name, { "large.bin": randomBytes(300_000).toString("base64") });

const rows: Row[] = [
  {
    kind: "that is not there",
    seed: (root, name) => rmSync(join(root, `${name}.git`), { recursive: true, force: true }),
    script: [],
    expected: { error: "clone_failed", says: /not found|no such repository/, notices: ["not_found"] },
  },
  {
    kind: "behind a sign-in page",
    seed: plain,
    repositories: (name) => [{ path: `sign-in/${name}` }],
    script: [],
    expected: { error: "clone_failed", says: "text/html in place of git", notices: ["proxy_refused"] },
  },
  {
    kind: "behind a redirect to a sign-in page",
    seed: plain,
    repositories: (name) => [{ path: `sign-in-elsewhere/${name}` }],
    script: [],
    expected: { error: "clone_failed", says: "a redirect to another page", notices: ["proxy_refused"] },
  },
  {
    kind: "that has moved within its host",
    seed: plain,
    repositories: (name) => [{ path: `moved/${name}` }],
    script: [push("claude/short"), push("claude/long", LONG), ...done],
    expected: {
      prints: [/pushed$/, /pushed$/],
      files: 1,
      pushed: ["claude/short", "claude/long"],
      commits: 2,
      notices: ["repository_moved"],
    },
  },
  {
    kind: "that has moved to another host",
    seed: plain,
    repositories: (name) => [{ path: `moved-away/${name}` }],
    script: [],
    expected: {
      error: "clone_failed",
      says: /it has moved to https:\/\/elsewhere\.example\.com\/.*give the routine that address/,
      notices: ["repository_moved"],
    },
  },
  {
    kind: "whose host takes no more requests for a while",
    seed: plain,
    repositories: (name) => [{ path: `limited/${name}` }],
    script: [],
    expected: {
      error: "repository_unavailable",
      says: "asked again after 7 s",
      again: 7,
      notices: ["upstream_limited"],
    },
  },
  {
    kind: "whose host is out of order",
    seed: plain,
    repositories: (name) => [{ path: `out-of-order/${name}` }],
    script: [],
    expected: { error: "repository_unavailable", says: "answered 502" },
  },
  {
    kind: "whose host wants to know a push's length",
    seed: plain,
    repositories: (name) => [{ path: `wants-length/${name}` }],
    script: [push("claude/long", LONG), ...done],
    expected: { prints: ["pushed"], files: 1, pushed: ["claude/long"], commits: 1 },
  },
  {
    kind: "whose host breaks off in the middle",
    seed: large,
    repositories: (name) => [{ path: `breaks-off/${name}` }],
    script: [],
    expected: { error: "repository_unavailable", says: "breaks-off/" },
  },
  {
    kind: "whose host broke off in the middle the first time",
    seed: large,
    repositories: (name) => [{ path: `breaks-off-once/${name}` }],
    earlier: "repository_unavailable",
    script: [push("claude/one"), ...done],
    expected: { prints: ["pushed"], files: 1, pushed: ["claude/one"], commits: 1 },
  },
];

describe.skipIf(noSandbox !== null)("a repository", { concurrent: true }, () => {
  let bed: RepositoriesBed;
  beforeAll(async () => {
    bed = await RepositoriesBed.make();
  });
  afterAll(() => bed.close());

  it.each(rows)("$kind", (row) => bed.try(row));
});
