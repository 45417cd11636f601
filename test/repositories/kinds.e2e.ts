/** Kinds of repositories, as teams have them: one run for each. */
import { join } from "node:path";
import { afterAll, beforeAll, describe, it } from "vitest";
import { bash, noSandbox, report } from "../runner/support/bed.ts";
import { type Files, git, seedUpstream } from "../runner/support/upstream.ts";
import { RepositoriesBed, type Row } from "./support/repositories-bed.ts";

const done = [report("done", "Done."), "Bye."];
const files = (content: Files) => (root: string, name: string) => void seedUpstream(root, name, content);
const plain = files({ "README.md": "# App\n" });
/** An upstream of git's own making, without a commit. */
const bare = (...how: string[]) => {
  return (root: string, name: string) =>
    void git("init", "--quiet", "--bare", "--template=", "--initial-branch=main", ...how, join(root, `${name}.git`));
};
const rows: Row[] = [
  {
    kind: "plain, with a branch that is pushed",
    seed: plain,
    script: [
      bash("echo 1 > a; git add -A; git commit -qm One; git push -q origin HEAD:claude/one; git log --format=%s"),
      ...done,
    ],
    expected: { prints: ["One\nBegin"], files: 1, pushed: ["claude/one"], commits: 1 },
  },
  {
    kind: "without a commit",
    seed: bare(),
    script: [bash("git status -sb; echo 1 > a; git add -A; git commit -qm One; git push -q origin HEAD"), ...done],
    expected: { prints: [/^## No commits yet on main/], files: 1, pushed: ["main"], commits: 1 },
  },
  {
    kind: "whose HEAD names a branch that is not there",
    seed: (root, name) => {
      plain(root, name);
      git("-C", join(root, `${name}.git`), "symbolic-ref", "HEAD", "refs/heads/master");
    },
    script: [bash("git branch --show-current"), ...done],
    expected: { prints: ["main"] },
  },
  {
    kind: "with a tag of a branch's name",
    seed: (root, name) => {
      plain(root, name);
      git("-C", join(root, `${name}.git`), "tag", "main");
    },
    script: [bash("git status -sb"), ...done],
    expected: { prints: ["## main...origin/main"] },
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
