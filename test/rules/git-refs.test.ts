/** One rule for names of refs: git's own. What pushes, tells, traces and checks out has to read the same name. */
import { execFileSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { branchRef, isPlainBranch, isRefName, REF_LIMIT_BYTES, readRef } from "#protocol/git-refs.ts";
import { marksOf } from "#rules/push-marks.ts";
import { localBranch, wholeRef } from "#sandbox-runner/git/checkout-plan.ts";
import { checkoutOf } from "#worker/inbound/sources/github/checkout.ts";
import { pushMarks } from "#worker/inbound/sources/github/pushed.ts";
import { type Chance, chance } from "./support/random.ts";

/** Whatever JavaScript, Unicode or git treats as something of its own. */
const PIECES = [
  "a",
  "claude",
  "main",
  "/",
  "//",
  ".",
  "..",
  "-",
  "@",
  "{",
  "@{",
  "}",
  "lock",
  ".lock",
  ".LOCK",
  "HEAD",
  "refs",
  "refs/heads/",
  "~",
  "^",
  ":",
  "?",
  "*",
  "[",
  "]",
  "\\",
  " ",
  "\t",
  "\n",
  "\r",
  "\u007f",
  "\u0001",
  "\u0080",
  "\u0085",
  "\u00a0",
  "\u1680",
  "\u2003",
  "\u2028",
  "\u2029",
  "\u202e",
  "\u200b",
  "\u3000",
  "\ufeff",
  "\ufffd",
  "\uffff",
  "é",
  "e\u0301",
  "ﬁ",
  "İ",
  "夜間",
  "🚀",
  "\u{10ffff}",
  "'",
  '"',
  "$(x)",
  "&",
  ";",
  "|",
  "#",
  "%20",
  "=",
  "+",
  ",",
  "!",
] as const;

const CHECK_EACH = `while IFS= read -r -d '' name; do
  if git check-ref-format $1 "$name" >/dev/null 2>&1; then echo yes; else echo no; fi
done`;

/** What git itself says of each name. @param option for instance `--branch`. */
function askedGit(names: readonly string[], option = ""): boolean[] {
  const input = names.map((name) => `${name}\0`).join("");
  const said = execFileSync("bash", ["-c", CHECK_EACH, "ask", option], { input, encoding: "utf8" });
  return said
    .trim()
    .split("\n")
    .map((line) => line === "yes");
}

function someName(random: Chance): string {
  return Array.from({ length: 1 + random.below(5) }, () => random.pick(PIECES)).join("");
}

describe("the name of a ref", () => {
  it("is what git says that it is, of each piece and of hundreds of names made of pieces", () => {
    const random = chance(20_260_828);
    const names = [
      ...PIECES.flatMap((piece) => [`refs/heads/${piece}`, `refs/heads/claude/a${piece}b`, piece]),
      ...Array.from({ length: 400 }, () => `refs/heads/${someName(random)}`),
      ...Array.from({ length: 100 }, () => someName(random)),
    ];
    const wrong = askedGit(names).flatMap((isName, place) => {
      const name = names[place] ?? "";
      return isRefName(name) === isName ? [] : [JSON.stringify(name)];
    });
    expect(wrong).toEqual([]);
  });

  it("is a branch that git's commands take exactly where git says so", () => {
    const random = chance(7);
    const names = [...PIECES, "-x", "a-", "heads/-x", ...Array.from({ length: 200 }, () => someName(random))];
    const wrong = askedGit(names, "--branch").flatMap((isBranch, place) => {
      const name = names[place] ?? "";
      return (branchRef(name) !== null && isPlainBranch(name)) === isBranch ? [] : [JSON.stringify(name)];
    });
    expect(wrong).toEqual([]);
  });

  it("is bounded in bytes, and has whole characters", () => {
    const room = REF_LIMIT_BYTES - "refs/heads/".length;
    expect(branchRef("x".repeat(room))).not.toBeNull();
    expect(branchRef("x".repeat(room + 1))).toBeNull();
    expect(branchRef("間".repeat(Math.ceil(room / 3)))).toBeNull();
    expect(readRef("refs/heads/\ud800")).toBeNull();
    expect(readRef(null)).toBeNull();
  });
});

const ID = 9001;
const NONE = "0".repeat(40);
const NEW = "a".repeat(40);
const repository = { id: ID, full_name: "acme/app", private: true };
const sender = { login: "maya", type: "User" };

/** Names that a run may choose for its branch: all that git takes. */
const BRANCHES = PIECES.map((piece) => `claude/a${piece}b`).filter((branch) => branchRef(branch) !== null);

describe("a branch of any name that git takes", () => {
  it.each(["-x", "@", "HEAD", "@/x", "refs/heads/x", "claude/夜間\u3000", "x".repeat(900), ...BRANCHES])(
    "%j",
    (branch) => {
      const ref = `refs/heads/${branch}`;
      const noted = new Set(marksOf(ID, { previous: NONE, commit: NEW, ref }));
      const isKnown = (event: string, payload: Parameters<typeof pushMarks>[1]) =>
        pushMarks(event, { repository, sender, ...payload }).some((mark) => noted.has(mark));
      const push = { ref, before: NONE, after: NEW, commits: [{ id: NEW }], repository, sender };
      expect(isKnown("push", push)).toBe(true);
      expect(isKnown("create", { ref: branch, ref_type: "branch" })).toBe(true);
      expect(checkoutOf("push", push)).toMatchObject({ ref, commit: NEW });
      expect(wholeRef(ref)).toBe(ref);
      expect(localBranch(ref)).toEqual(isPlainBranch(branch) ? { name: branch, isUpstream: true } : null);
    },
  );

  it("is trusted by a name that means it alone", () => {
    const pull_request = { number: 7, head: { sha: NEW, repo: repository }, base: { repo: repository } };
    const trusted = (branch: string) => {
      const base = { ...pull_request.base, ref: branch };
      return checkoutOf("pull_request", { repository, pull_request: { ...pull_request, base } })?.trusted_ref ?? "";
    };
    expect(trusted("main")).toBe("main");
    for (const branch of ["refs/heads/main", "refs/tags/v1", "-x", "\u3000"]) {
      expect(wholeRef(trusted(branch))).toBe(`refs/heads/${branch}`);
    }
  });
});

describe("a push to a ref that has no name to compare", () => {
  it.each(["refs/heads/\ud800x", `refs/heads/${"x/".repeat(600)}y`, "refs/heads/a b", "nonsense", null])(
    "is known by its commits: %j",
    (ref) => {
      const [noted] = marksOf(ID, { previous: NONE, commit: NEW, ref: "refs/heads/claude/x" }).slice(1, 2);
      const other = "b".repeat(40);
      const payload = { ref, before: NONE, after: other, commits: [{ id: NEW }, { id: other }], repository, sender };
      expect(pushMarks("push", payload)).toContain(noted);
    },
  );
});
