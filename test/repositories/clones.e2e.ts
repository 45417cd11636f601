/** What a clone has of repositories that are large, split up or set up in a way of their own: one run for each kind. */
import { execFileSync } from "node:child_process";
import { afterAll, beforeAll, describe, it } from "vitest";
import { bash, noSandbox, report } from "../runner/support/bed.ts";
import { type Files, git, seedUpstream } from "../runner/support/upstream.ts";
import { RepositoriesBed, type Row } from "./support/repositories-bed.ts";

const done = [report("done", "Done."), "Bye."];

/** Puts commits on a branch, each with one more line in a file of the branch's name. */
function addCommits(bare: string, branch: string, count: number, onto: string): void {
  const commit = (number: number) => `commit refs/heads/${branch}
committer Ada <ada@example.com> ${1_700_000_000 + number} +0000
data 1
${number % 10}
${number === 0 ? `from ${onto}\n` : ""}M 100644 inline ${branch}.txt
data ${String(number).length}
${number}
`;
  const input = Array.from({ length: count }, (_, number) => commit(number)).join("");
  execFileSync("git", ["-C", bare, "fast-import", "--quiet"], { input });
}

/** Two branches that have gone on for longer than a clone is deep. */
function seedLong(root: string, name: string): void {
  const bare = seedUpstream(root, name, { "README.md": "# App\n" });
  const base = git("-C", bare, "rev-parse", "main");
  addCommits(bare, "feature", 60, base);
  addCommits(bare, "main", 60, base);
}

function seedPackages(root: string, name: string): void {
  const content = (folder: string): Files =>
    Object.fromEntries(Array.from({ length: 40 }, (_, number) => [`${folder}/${number}.txt`, `${folder} ${number}\n`]));
  const files = { "root.txt": "root\n", ...content("packages/app"), ...content("packages/other"), ...content("docs") };
  const bare = seedUpstream(root, name, files);
  git("-C", bare, "config", "uploadpack.allowFilter", "true");
  addCommits(bare, "main", 3, git("-C", bare, "rev-parse", "main"));
}

/** A repository with submodules: attached, elsewhere, and of kinds that are to run or reach something. */
function seedSubmodules(root: string, name: string, way = ""): void {
  const lib = git("-C", seedUpstream(root, `${name}-lib`, { "lib.txt": "lib\n" }), "rev-parse", "main");
  const modules: [name: string, path: string, url: string, more?: string][] = [
    ["lib", "vendor/lib", `../${name}-lib.git`],
    ["again", "-again", `https://code.example.com/${name}-lib`, way],
    ["other", "other", "https://elsewhere.example.com/other.git"],
    ["program", "program", "ext::sh -c touch% ran"],
    ["file", "file", "file:///etc"],
    ["../../escape", "escape", `../${name}-lib`],
  ];
  const text = modules.map(
    ([each, path, url, more = ""]) => `[submodule "${each}"]\n\tpath = ${path}\n\turl = ${url}\n\t${more}\n`,
  );
  const bare = seedUpstream(root, name, { ".gitmodules": text.join("") });
  const links = modules.map(([, path]) => `M 160000 ${lib} ${path}\n`).join("");
  const commit =
    "commit refs/heads/main\ncommitter Ada <ada@example.com> 1700000000 +0000\ndata 1\nx\nfrom refs/heads/main^0\n";
  execFileSync("git", ["-C", bare, "fast-import", "--quiet"], { input: `${commit}${links}` });
}

/** A repository with a submodule that has one itself. */
function seedNested(root: string, name: string): void {
  const link = (bare: string, path: string, url: string, commit: string) => {
    const modules = `[submodule "${path}"]\n\tpath = ${path}\n\turl = ${url}\n`;
    const input = `commit refs/heads/main\ncommitter Ada <ada@example.com> 1700000000 +0000\ndata 1\nx\nfrom refs/heads/main^0
M 100644 inline .gitmodules\ndata ${modules.length}\n${modules}\nM 160000 ${commit} ${path}\n`;
    execFileSync("git", ["-C", bare, "fast-import", "--quiet"], { input });
    return git("-C", bare, "rev-parse", "main");
  };
  const deep = git("-C", seedUpstream(root, `${name}-deep`, { "deep.txt": "deep\n" }), "rev-parse", "main");
  const lib = link(seedUpstream(root, `${name}-lib`, { "lib.txt": "lib\n" }), "deep", `../${name}-deep`, deep);
  link(seedUpstream(root, name, {}), "lib", `../${name}-lib.git`, lib);
}

const rows: Row[] = [
  {
    kind: "at a branch that is not the default one, and longer than the clone is deep",
    seed: seedLong,
    repositories: (name) => [{ path: name, branch: "feature" }],
    script: [
      bash(`git symbolic-ref refs/remotes/origin/HEAD; git rev-parse --is-shallow-repository
git log --oneline origin/main | wc -l; git merge-base origin/main HEAD; echo $?`),
      bash(
        "git fetch -q --deepen=100 && git merge-base --is-ancestor $(git merge-base origin/main HEAD) HEAD && echo found",
      ),
      bash(
        "git fetch -q origin main && git rev-parse --is-shallow-repository; git fetch -q --unshallow; git log --oneline | wc -l",
      ),
      ...done,
    ],
    expected: {
      prints: ["refs/remotes/origin/main\ntrue\n50\n1", "found", /\n61$/],
      told: /shallow.*50 commits of the branch feature and of the default branch main.*--deepen/,
    },
  },
  {
    kind: "of which some folders are wanted, and one commit",
    seed: seedPackages,
    repositories: (name) => [{ path: name, paths: ["packages/app", "docs/"], depth: 1 }],
    script: [
      bash(`ls; ls packages docs | wc -l; git log --oneline | wc -l; git status --porcelain
git rev-list --objects --missing=print HEAD | grep -c '^?'`),
      bash("git show HEAD:packages/other/7.txt; git sparse-checkout add packages/other && ls packages/other | wc -l"),
      bash(
        "echo new > packages/app/new.txt; git add -A; git commit -qm New; git push -q origin HEAD:claude/new; git show --format= --name-only",
      ),
      ...done,
    ],
    expected: {
      prints: ["docs\nmain.txt\npackages\nroot.txt\n44\n1\n40", "packages/other 7\n40", "packages/app/new.txt"],
      files: 1,
      pushed: ["claude/new"],
      commits: 1,
      told: /only these folders.*packages\/app, docs/,
    },
  },
  {
    kind: "with all of its history",
    seed: seedLong,
    repositories: (name) => [{ path: name, branch: "feature", depth: 0 }],
    script: [bash("git rev-parse --is-shallow-repository; git log --oneline | wc -l"), ...done],
    expected: { prints: ["false\n61"] },
  },
  {
    kind: "whose hooks are installed by tools",
    seed: (root, name) => void seedUpstream(root, name, { ".husky/pre-commit": "#!/bin/sh\necho husky >> ../ran\n" }),
    script: [
      bash(`git config core.hooksPath; git config --show-origin core.hooksPath; git rev-parse --git-path hooks
printf '#!/bin/sh\\necho own >> ../ran\\n' > "$(git rev-parse --git-path hooks)/pre-commit"; chmod +x .git/hooks/pre-commit
git commit -q --allow-empty -m One; git log -1 --format=%B | grep -c '^Session: '; cat ../ran`),
      bash(`chmod +x .husky/pre-commit; git config core.hooksPath .husky; git config core.hooksPath; git -C . rev-parse --git-path hooks
git commit -q --allow-empty -m Two; git log -1 --format=%B | grep -c '^Session: '; cat ../ran; git checkout -q .`),
      ...done,
    ],
    expected: { prints: [".git/hooks\n1\nown", ".husky\n.husky\n1\nown\nhusky"] },
  },
  {
    kind: "with submodules, some of them attached, some hostile",
    seed: seedSubmodules,
    repositories: (name) => [{ path: name }, { path: `${name}-lib` }],
    script: [
      bash(`cd repository-*[0-9]; cat vendor/lib/lib.txt; ls -A -- other program file escape -again; ls .. ~ | grep ran
git -C vendor/lib remote get-url origin | grep -c proxy; git -C vendor/lib fetch -q && echo fetched`),
      ...done,
    ],
    expected: { prints: [/^lib\n(?!.*\bran\b).*fetched$/s], notices: ["submodules_left"] },
  },
  {
    kind: "with a submodule that is to run a program",
    seed: (root, name) => seedSubmodules(root, name, "update = !touch ../ran"),
    repositories: (name) => [{ path: name }, { path: `${name}-lib` }],
    script: [bash("cd repository-*[0-9]; git log --format=%s | wc -l; ls -A vendor/lib .. ~ | grep -c ran"), ...done],
    expected: { prints: [/2\n0$/], notices: ["submodules_left"] },
  },
  {
    kind: "with files in Git LFS that the host does not give out",
    seed: (root, name) =>
      void seedUpstream(root, name, {
        ".gitattributes": "*.bin filter=lfs diff=lfs merge=lfs -text\n",
        "logo.bin": `version https://git-lfs.github.com/spec/v1\noid sha256:${"a".repeat(64)}\nsize 12\n`,
      }),
    script: [
      bash(
        "git status --porcelain; head -c 7 logo.bin; cp logo.bin new.bin; git add new.bin && git commit -qm Pointer",
      ),
      ...done,
    ],
    expected: { prints: ["version"], notices: ["lfs_pointers"], files: 1 },
  },
  {
    kind: "with one file of 30 MB",
    seed: (root, name) => void seedUpstream(root, name, { "big.bin": "0123456789abcdef".repeat(1_875_000), a: "a\n" }),
    script: [bash("wc -c < big.bin; echo b >> a; git commit -qam B && git push -q origin HEAD:claude/b"), ...done],
    expected: { prints: ["30000000"], files: 1, pushed: ["claude/b"], commits: 1 },
  },
  {
    kind: "whose submodule has a submodule",
    seed: seedNested,
    repositories: (name) => [{ path: name }, { path: `${name}-lib` }, { path: `${name}-deep` }],
    script: [
      bash(
        "cd repository-*[0-9]; cat lib/deep/deep.txt; git status --porcelain; git submodule status --recursive | wc -l",
      ),
      ...done,
    ],
    expected: { prints: ["deep\n2"] },
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
