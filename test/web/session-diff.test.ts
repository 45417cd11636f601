/** What git writes of a change, as files and numbered lines; and comments on them, as they go with a message. */
import { describe, expect, it } from "vitest";
import { withComments } from "#web/src/session/diff/line-comments.ts";
import { readPatch } from "#web/src/session/diff/patch.ts";

const PATCH = `diff --git a/src/a b.ts b/src/a b.ts
index 83db48f..bf269f4 100644
--- a/src/a b.ts
+++ b/src/a b.ts
@@ -1,3 +1,4 @@ function first() {
 same
-gone
+new
+++ not a head
\\ No newline at end of file
@@ -10 +11,2 @@
 ten

diff --git "a/\\303\\244.txt" "b/\\303\\244.txt"
deleted file mode 100644
--- "a/\\303\\244.txt"
+++ /dev/null
@@ -1 +0,0 @@
-only
diff --git a/logo.png b/logo.png
Binary files a/logo.png and b/logo.png differ
`.replaceAll("\\\\", "\\");

describe("a patch", () => {
  const files = readPatch(PATCH);

  it("has its files by their paths, quoted ones too", () => {
    expect(files.map(({ path }) => path)).toEqual(["src/a b.ts", "ä.txt", "logo.png"]);
    expect(files[2]).toMatchObject({ hunks: [], notes: ["Binary files a/logo.png and b/logo.png differ"] });
    expect(files[1]?.notes).toEqual(["deleted file mode 100644"]);
  });

  it("numbers lines as they stand in the file before and after", () => {
    const lines = files[0]?.hunks.flatMap((hunk) => hunk.lines.map(({ before, after, text }) => [before, after, text]));
    expect(lines).toEqual([
      [1, 1, "same"],
      [2, null, "gone"],
      [null, 2, "new"],
      [null, 3, "++ not a head"],
      [10, 11, "ten"],
      [11, 12, ""],
    ]);
    expect(files[0]?.hunks.map(({ context }) => context)).toEqual(["function first() {", ""]);
  });

  it("that is cut, or none at all, is read as far as it goes", () => {
    expect(readPatch("")).toEqual([]);
    expect(readPatch("no patch\n+at all")).toEqual([]);
    expect(readPatch("diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n-ol")[0]?.hunks[0]?.lines).toHaveLength(1);
  });
});

describe("a message with comments", () => {
  const comment = {
    id: "1",
    repository: "https://github.com/acme/app",
    branch: "claude/x",
    path: "src/a.ts",
    line: 7,
    side: "after" as const,
    code: "const x = 1;",
    text: "Name it.",
  };

  it("quotes the place and the line of each", () => {
    expect(withComments("Please.", [comment, { ...comment, side: "before", branch: null }])).toBe(
      [
        "Please.",
        "Comments on the changes:",
        "src/a.ts, line 7 (https://github.com/acme/app, claude/x):\n> const x = 1;\nName it.",
        "src/a.ts, removed line 7 (https://github.com/acme/app):\n> const x = 1;\nName it.",
      ].join("\n\n"),
    );
  });

  it("may have nothing else to say, and is the text alone where there are none", () => {
    expect(withComments(" ", [comment])).toMatch(/^Comments on the changes:/);
    expect(withComments("Hello", [])).toBe("Hello");
  });
});
