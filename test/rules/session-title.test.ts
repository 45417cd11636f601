import { expect, it } from "vitest";
import { titleOf } from "#rules/run/session-title.ts";

const CASES: [name: string, summary: string, title: string | null][] = [
  ["one line", "Fixed the login test.", "Fixed the login test."],
  ["the first line that says something", "\n  \n# Fixed **the** `login` test\nand more", "Fixed the login test"],
  ["an item of a list", "- one\n- two", "one"],
  ["control characters", "a\tb\u0000c", "a b c"],
  ["just short enough", "é".repeat(100), "é".repeat(100)],
  ["too long, by characters", "😀".repeat(101), `${"😀".repeat(99)}…`],
  [
    "characters that turn the rest of a line",
    "Fixed \u202eexe.nimda\u202c and \u2067more\u2069",
    "Fixed exe.nimda and more",
  ],
  ["a line of nothing that can be seen", "\u200b\u2060\ufeff\n# Done", "Done"],
  ["letters that are joined", "👩‍💻 می‌خواهم", "👩‍💻 می‌خواهم"],
  ["nothing said", "\n***\n", null],
];

it.each(CASES)("a report's title: %s", (_name, summary, title) => {
  expect(titleOf(summary)).toBe(title);
});
