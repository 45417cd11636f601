/** Kinds of repositories, as teams have them: one run for each. */
import { join } from "node:path";
import { afterAll, beforeAll, describe, it } from "vitest";
import { shownIdentity } from "#instance/commit-key.ts";
import { bash, noSandbox, report } from "../runner/support/bed.ts";
import { commitTo, type Files, git, seedUpstream } from "../runner/support/upstream.ts";
import { RepositoriesBed, type Row, SIGNED } from "./support/repositories-bed.ts";

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
  {
    kind: "with names in all scripts, links and programs",
    seed: files({ "日本 語.txt": "1\n", "ä/ö.md": "2\n", link: { link: "ä/ö.md" } }),
    script: [
      bash("cat link; echo 3 >> '日本 語.txt'; git add -A; git commit -qm Drei; git push -q origin HEAD:claude/names"),
      ...done,
    ],
    expected: { prints: ["2"], files: 1, pushed: ["claude/names"], commits: 1 },
  },
  {
    kind: "with files that are ignored",
    seed: files({ ".gitignore": "out/\n", "README.md": "# App\n" }),
    script: [bash("mkdir out; touch out/1 out/2; echo more >> README.md; git status --porcelain"), ...done],
    expected: { prints: [/^ ?M README\.md$/], files: 1 },
  },
  {
    kind: "in which a colleague's branch is looked at",
    seed: (root, name) => {
      plain(root, name);
      commitTo(join(root, `${name}.git`), "refs/heads/feature", { "theirs.txt": "1\n" });
    },
    script: [bash("git fetch -q && git checkout -q feature && cat theirs.txt"), ...done],
    expected: { prints: ["1"] },
  },
  {
    kind: "in which a colleague's branch is merged and pushed",
    seed: (root, name) => {
      plain(root, name);
      commitTo(join(root, `${name}.git`), "refs/heads/feature", { "theirs.txt": "1\n" });
    },
    script: [
      bash("git fetch -q && git merge -q --no-ff -m Merge origin/feature && git push -q origin HEAD:claude/merged"),
      ...done,
    ],
    expected: { pushed: ["claude/merged"], commits: 1 },
  },
  {
    kind: "into which a colleague pushes meanwhile",
    seed: plain,
    meanwhile: (root, name) => void commitTo(join(root, `${name}.git`), "refs/heads/main", { "theirs.txt": "1\n" }),
    script: [
      bash(
        "until git pull -q && [ -f theirs.txt ]; do command sleep 0.2; done; echo 1 > a; git add -A; git commit -qm One; git push -q origin HEAD:claude/after",
      ),
      ...done,
    ],
    expected: { files: 1, pushed: ["claude/after"], commits: 1 },
  },
  {
    kind: "of which two branches with the same commits are pushed, and one is rewritten",
    seed: plain,
    script: [
      bash("echo 1 > a; git add -A; git commit -qm One; git push -q origin HEAD:claude/one HEAD:claude/two"),
      bash("git commit -q --amend -m Other; git push -q --force origin HEAD:claude/one"),
      ...done,
    ],
    expected: { files: 1, pushed: ["claude/one", "claude/two", "claude/one"], commits: 2 },
  },
  {
    kind: "whose commits the instance signs",
    seed: plain,
    order: { commit: shownIdentity(SIGNED) },
    script: [
      bash(
        "git commit -q --allow-empty -m One && git cat-file -p HEAD | grep -c 'BEGIN SSH SIGNATURE'; git push -q origin HEAD:claude/signed",
      ),
      ...done,
    ],
    expected: { prints: ["1"], pushed: ["claude/signed"], commits: 1 },
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
