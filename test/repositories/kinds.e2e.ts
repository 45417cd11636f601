/** Kinds of repositories, as teams have them: one run for each. */
import { rmSync, writeFileSync } from "node:fs";
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

const ODD_NAMES = ["-rf", " blank ", "new\nline", "\u00e4.txt", "a\u0308.txt", "tab\there", 'quo"te', "*"];

/** As one of many years: 6,000 refs, objects elsewhere at the host, a commit that is replaced, odd names, filters that nobody has set up. */
function seedGrown(root: string, name: string): void {
  const store = seedUpstream(root, `${name}-store`, {
    ".gitattributes": "*.sec filter=vault\n*.nb filter=nb diff=nb merge=nb\n",
    "one.nb": "{}\n",
    ...Object.fromEntries(
      ODD_NAMES.flatMap((each) => [`odd/${each}`, `${each}.sec`].map((path) => [path, "sealed\n"])),
    ),
  });
  const bare = join(root, `${name}.git`);
  git("clone", "--quiet", "--template=", "--bare", "--shared", store, bare);
  const other = commitTo(bare, "refs/heads/other", { "README.md": "# App\n" });
  const tip = git("-C", bare, "rev-parse", "main");
  const many = ["heads/topic", "pull", "tags/v"].flatMap((kind) =>
    Array.from({ length: 2_000 }, (_, number) => `refs/${kind}/${number}`),
  );
  const refs = [...many, "refs/heads/main"].sort().map((ref) => `${tip} ${ref}\n`);
  const packed = [...refs, `${other} refs/heads/other\n`, `${other} refs/replace/${tip}\n`];
  const sorted = packed.sort((one, two) => (one.slice(41) < two.slice(41) ? -1 : 1));
  rmSync(join(bare, "refs", "heads", "other"));
  writeFileSync(join(bare, "packed-refs"), `# pack-refs with: peeled fully-peeled sorted \n${sorted.join("")}`);
}

const rows: Row[] = [
  {
    kind: "grown over many years, in which the agent sets up a filter that is required",
    seed: seedGrown,
    script: [
      bash(`git status --porcelain; ls odd | wc -l; cat -- *rf.sec; git for-each-ref refs/heads refs/remotes | wc -l
git ls-remote -q origin | wc -l; git fetch -q origin '+refs/replace/*:refs/replace/*'; git log --format=%s`),
      bash(`git config filter.vault.clean 'tr a-z A-Z'; git config filter.vault.smudge 'tr A-Z a-z'; git config filter.vault.required true
echo "more" >> ./-rf.sec; echo 1 > new.sec; echo 1 >> 'odd/ blank '; git add -A; git commit -qm One; git push -q origin HEAD:claude/one
git show HEAD:./-rf.sec; git status --porcelain`),
      ...done,
    ],
    expected: {
      prints: ["9\nsealed\n3\n6004\nChange refs/heads/other", "SEALED\nMORE"],
      files: 3,
      pushed: ["claude/one"],
      commits: 1,
    },
  },
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
