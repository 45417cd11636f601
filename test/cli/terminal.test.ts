/** Whatever a text holds, the command line steers no terminal with it. */
import { afterEach, expect, test, vi } from "vitest";
import { terminal } from "#cli/terminal.ts";

afterEach(() => {
  vi.restoreAllMocks();
});

/** What is written of a text, and to which stream. */
function written(how: "out" | "say", text: string): string[] {
  const told: string[] = [];
  for (const stream of ["stdout", "stderr"] as const) {
    vi.spyOn(process[stream], "write").mockImplementation((chunk) => told.push(`${stream} ${chunk}`) > 0);
  }
  terminal[how](text);
  vi.restoreAllMocks();
  return told;
}

test.each([
  ["a colour", "\u001b[31mred\u001b[0m", "\\u001b[31mred\\u001b[0m"],
  ["a title, by OSC and BEL", "\u001b]0;title\u0007", "\\u001b]0;title\\u0007"],
  ["a link, by OSC and ST", "\u001b]8;;https://x.example\u001b\\here", "\\u001b]8;;https://x.example\\u001b\\here"],
  ["the clipboard", "\u001b]52;c;ZXZpbA==\u0007", "\\u001b]52;c;ZXZpbA==\\u0007"],
  ["CSI and OSC in one character (C1)", "\u009b2J\u009d0;x\u009c", "\\u009b2J\\u009d0;x\\u009c"],
  ["a line that is written over", "wrong\rright", "wrong\\u000dright"],
  ["backspaces and delete", "ab\b\bcd\u007f", "ab\\u0008\\u0008cd\\u007f"],
  ["a NUL", "a\u0000b", "a\\u0000b"],
  ["a direction that is overridden", "a\u202etxt.exe\u202c", "a\\u202etxt.exe\\u202c"],
  ["isolates and marks of direction", "\u2066a\u2069\u200f\u061c", "\\u2066a\\u2069\\u200f\\u061c"],
  ["ends of lines that are none of a terminal's", "a\u2028b\u2029c\u0085d", "a\\u2028b\\u2029c\\u0085d"],
  ["a byte order mark", "\ufeffa", "\\ufeffa"],
  ["lines", "one\ntwo", "one\ntwo"],
  ["letters of any script, and emoji", "é می‌خواهم 👨‍👩‍👧", "é می‌خواهم 👨‍👩‍👧"],
])("%s comes as text that can be read", (_what, text, shown) => {
  expect(written("out", text)).toEqual([`stdout ${shown}\n`]);
  expect(written("say", text)).toEqual([`stderr ${shown}\n`]);
});
