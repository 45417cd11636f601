/** Text from outside, made harmless and short enough to look at. */
import { describe, expect, it } from "vitest";
import type { Json } from "#protocol/schema.ts";
import { toolInput } from "#web/src/session/items/tool-input.ts";
import { ansiPieces, hasAnsi, withoutAnsi } from "#web/src/session/text/ansi.ts";
import { linkAddress } from "#web/src/session/text/link-address.ts";
import { formatBytes, preview } from "#web/src/session/text/preview.ts";
import { shortPath, shortPaths, tellingInput, toolName } from "#web/src/session/text/tool-summary.ts";
import { visibleLine, visibleText } from "#web/src/session/text/visible-text.ts";

/** As runners of today name it, and as those before them did. */
const EXECUTOR_FOLDER = "/srv/state/runs/runs/executor-9d764940b0818eb929";
const RUN_FOLDER = "/srv/state/runs/runs/run_1M80KR6P64847JN8W9FE4CPEYE.1";

describe("control characters", () => {
  it.each([
    ["plain text with a tab\tand a line\n", "plain text with a tab\tand a line\n"],
    ["Zwölf Boxkämpfer, 日本語, Ελληνικά, 🎉", "Zwölf Boxkämpfer, 日本語, Ελληνικά, 🎉"],
    ["مرحبا (abc) 123", "مرحبا (abc) 123"],
    ["joined: 👩‍💻, नमस्ते, می‌خواهم", "joined: 👩‍💻, नमस्ते, می‌خواهم"],
    ["NUL\0 BEL\x07 ESC\x1b BS\b", "NUL‹NUL› BEL‹BEL› ESC‹ESC› BS‹BS›"],
    ["DEL\x7f CSI\x9b NEL\x85", "DEL‹DEL› CSI‹U+009B› NEL‹U+0085›"],
    ["\u202egnp.exe\u202c", "‹U+202E›gnp.exe‹U+202C›"],
    ["\u2066isolated\u2069", "‹U+2066›isolated‹U+2069›"],
    ["hid\u200bden \ufeff \u2060", "hid‹U+200B›den ‹U+FEFF› ‹U+2060›"],
    ["tags \u{e0041}\u{e007f}", "tags ‹U+E0041›‹U+E007F›"],
    ["one\r\ntwo\rthree\u2028four", "one\ntwo\nthree\nfour"],
  ])("of %j are seen as %j", (text, seen) => {
    expect(visibleText(text)).toBe(seen);
  });

  it("keep a line one line", () => {
    expect(visibleLine("a\r\nb\nc")).toBe("a⏎b⏎c");
  });

  it("of every kind are signs, whatever stands around them", () => {
    for (let code = 0; code < 0xa0; code += 1) {
      const character = String.fromCharCode(code);
      const seen = visibleText(`a${character}b`);
      expect([...seen].some((one) => /[^\P{C}\n\t]/u.test(one))).toBe(false);
      if (/\p{Cc}/u.test(character) && !"\n\t\r".includes(character)) expect(seen).toMatch(/^a‹.+›b$/);
    }
  });
});

describe("terminal text", () => {
  const styled = (text: string) =>
    ansiPieces(text).map(({ text: piece, ...style }) => {
      const names = Object.entries(style).filter(([, value]) => value !== false && value !== null);
      return [piece, ...names.map(([name, value]) => (value === true ? name : value))].join("|");
    });

  it.each<[string, string[]]>([
    ["plain", ["plain"]],
    ["\x1b[31mred\x1b[0m plain", ["red|red", " plain"]],
    ["\x1b[1;32mboth\x1b[22mgreen\x1b[39mnone", ["both|green|bold", "green|green", "none"]],
    ["\x1b[2mdim\x1b[3mitalic\x1b[4munder\x1b[m.", ["dim|dim", "italic|dim|italic", "under|dim|italic|underline", "."]],
    ["\x1b[91mbright\x1b[38;5;4mblue\x1b[38;5;200mother", ["bright|red", "blue|blue", "other"]],
    ["\x1b[38;2;255;0;0;1mtrue colour\x1b[48;5;1mground", ["true colour|bold", "ground|bold"]],
    ["\x1b[8mconcealed\x1b[30;40mblack on black", ["concealed", "black on black|black"]],
    ["\x1b[2J\x1b[H\x1b[10Acleared", ["cleared"]],
    ["\x1b]0;title\x07text\x1b]8;;https://evil.test\x1b\\link\x1b]8;;\x1b\\", ["text", "link"]],
    ["\x1b(Bset\x1b=\x1b7mode", ["set", "mode"]],
    ["an end that never comes \x1b]0;", ["an end that never comes \x1b]0;"]],
    ["\x1b", ["\x1b"]],
    ["\x1b[31", ["\x1b[31"]],
    ["", []],
  ])("%j has the pieces %j", (text, pieces) => {
    expect(styled(text)).toEqual(pieces);
    expect(withoutAnsi(text)).toBe(
      ansiPieces(text)
        .map((piece) => piece.text)
        .join(""),
    );
  });

  it("that has no sequences is told from text that has some", () => {
    expect([hasAnsi("text"), hasAnsi("\x1b[31m")]).toEqual([false, true]);
  });
});

describe("the beginning of a long text", () => {
  const bound = { lines: 3, characters: 20 };

  it.each([
    ["short", "short", true],
    ["", "", true],
    ["1\n2\n3", "1\n2\n3", true],
    ["1\n2\n3\n", "1\n2\n3", false],
    ["1\n2\n3\n4", "1\n2\n3", false],
    ["x".repeat(20), "x".repeat(20), true],
    ["x".repeat(21), "x".repeat(20), false],
    [`${"x".repeat(19)}🎉`, "x".repeat(19), false],
    [`1\n${"x".repeat(40)}\n3`, `1\n${"x".repeat(18)}`, false],
  ])("%j is %j", (text, beginning, isWhole) => {
    expect(preview(text, bound)).toEqual({ text: beginning, isWhole });
  });

  it.each([
    [0, "0 bytes"],
    [1, "1 byte"],
    [1_023, "1023 bytes"],
    [1_024, "1 KiB"],
    [262_144, "256 KiB"],
    [1_572_864, "1.5 MiB"],
  ])("%i bytes are %s", (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text);
  });
});

describe("an address", () => {
  it.each([
    ["https://example.com/a?b=c#d", "https://example.com/a?b=c#d"],
    ["HTTP://Example.com", "http://example.com/"],
    ["mailto:a@b.c", "mailto:a@b.c"],
  ])("%s is followed as %s", (address, href) => {
    expect(linkAddress(address)).toBe(href);
  });

  it.each([
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    " javascript:alert(1)",
    "java\nscript:alert(1)",
    "data:text/html,<script>1</script>",
    "vbscript:x",
    "file:///etc/passwd",
    "blob:https://example.com/1",
    "//evil.test/x",
    "/api/v1/sign-out",
    "relative",
    "#fragment",
    "https:evil.test",
    "https://",
    "",
    undefined,
  ])("%j leads nowhere", (address) => {
    expect(linkAddress(address)).toBeNull();
  });
});

describe("a tool's line", () => {
  it.each([
    ["Bash", { server: null, name: "Bash" }],
    ["mcp__reveille__report_result", { server: "reveille", name: "report_result" }],
    ["mcp__a__b__c", { server: "a", name: "b__c" }],
    ["mcp__only", { server: null, name: "mcp__only" }],
    ["", { server: null, name: "" }],
  ])("names %s", (name, parts) => {
    expect(toolName(name)).toEqual(parts);
  });

  it.each([
    [{ command: "git log", description: "Look" }, "git log"],
    [{ command: "a &&\n  b\n" }, "a && ⏎ b"],
    [{ replace_all: false, file_path: `${RUN_FOLDER}/workspace/app/CHANGELOG.md` }, "app/CHANGELOG.md"],
    [{ pattern: "needle", path: "/src" }, "needle"],
    [{ command: "  ", url: "https://example.com" }, "https://example.com"],
    [{ state: "triage" }, '{"state":"triage"}'],
    [{}, ""],
    [null, ""],
    ["cut text", "cut text"],
    [[1, 2], "[1,2]"],
    [7, "7"],
    ["x".repeat(400), `${"x".repeat(299)}…`],
  ])("tells of %j: %j", (input, line) => {
    expect(tellingInput(input)).toBe(line);
  });

  it.each([
    [`${RUN_FOLDER}/workspace/app/a.ts`, "app/a.ts"],
    [`${RUN_FOLDER}/home/.config`, "home/.config"],
    [`${EXECUTOR_FOLDER}/workspace/app/a.ts`, "app/a.ts"],
    ["/etc/hosts", "/etc/hosts"],
    ["src/a.ts", "src/a.ts"],
    [`${RUN_FOLDER}/`, `${RUN_FOLDER}/`],
  ])("shortens %s to %s", (path, short) => {
    expect(shortPath(path)).toBe(short);
  });
});

describe("paths in a text", () => {
  it.each([
    [`cat ${RUN_FOLDER}/workspace/a.ts ${RUN_FOLDER}/workspace/b.ts`, "cat a.ts b.ts"],
    [`"${RUN_FOLDER}/workspace/a b.ts"`, '"a b.ts"'],
    [`FILE=${RUN_FOLDER}/workspace/a.ts`, "FILE=a.ts"],
    [`cat ${EXECUTOR_FOLDER}/workspace/a.ts ${EXECUTOR_FOLDER}/workspace/b.ts`, "cat a.ts b.ts"],
    [`ls ${RUN_FOLDER}/workspace/`, "ls workspace/"],
    [`${"x".repeat(500)}${RUN_FOLDER}/workspace/a.ts`, `${"x".repeat(500)}${RUN_FOLDER}/workspace/a.ts`],
    ["cat /etc/hosts", "cat /etc/hosts"],
  ])("of %j are seen as %j", (text, seen) => {
    expect(shortPaths(text)).toBe(seen);
  });
});

describe("a tool's input", () => {
  it("names paths from the workspace, and whole ones where people decide on it", () => {
    const input = {
      command: `cd ${RUN_FOLDER}/workspace/app && cat ${RUN_FOLDER}/workspace/app/a.ts`,
      file_path: `${RUN_FOLDER}/workspace/b.ts`,
    };
    expect(toolInput(input)).toEqual({
      facts: [{ label: "File path", text: "b.ts" }],
      blocks: [{ label: "Command", text: "cd app && cat app/a.ts", isTerminal: false, language: "bash" }],
    });
    const exact = toolInput(input, true);
    expect([...exact.facts, ...exact.blocks].map(({ text }) => text)).toContain(input.command);
    expect([...exact.facts, ...exact.blocks].map(({ text }) => text)).toContain(input.file_path);
  });

  it("is facts where it is short, and blocks where it is long or a command", () => {
    const input = { command: "ls", description: "List", timeout: 5, long: "a\nb", nested: { a: 1 } };
    expect(toolInput(input)).toEqual({
      facts: [
        { label: "Description", text: "List" },
        { label: "Timeout", text: "5" },
      ],
      blocks: [
        { label: "Command", text: "ls", isTerminal: false, language: "bash" },
        { label: "Long", text: "a\nb", isTerminal: false, language: null },
        { label: "Nested", text: '{\n  "a": 1\n}', isTerminal: false, language: "json" },
      ],
    });
  });

  it("of an edit is what changes, between what stays", () => {
    const { blocks } = toolInput({ old_string: "same\nold\nend", new_string: "same\nnew\nmore\nend" });
    expect(blocks.map(({ label, text }) => [label, withoutAnsi(text)])).toEqual([
      ["Change", "  same\n- old\n+ new\n+ more\n  end"],
    ]);
  });

  it("of an edit brings no colours of its own", () => {
    const { blocks } = toolInput({ old_string: "\x1b[32ma", new_string: "\x1b[31mb" });
    expect(ansiPieces(blocks[0]?.text ?? "").map(({ text, colour }) => [text, colour])).toEqual([
      ["- ‹ESC›[32ma", "red"],
      ["\n", null],
      ["+ ‹ESC›[31mb", "green"],
    ]);
  });

  it("that is nested deep is on one line, or said to be too deep, and costs no more than its length", () => {
    const nested = (depth: number, inner: Json) => {
      let value = inner;
      for (let level = 0; level < depth; level += 1) value = [value];
      return value;
    };
    const wide = Array.from({ length: 60_000 }, () => 1);
    expect(toolInput({ a: nested(1_000, wide) }).blocks[0]?.text).toHaveLength(2 * 60_000 + 1 + 2 * 1_000);
    expect(toolInput({ a: nested(3, 1) }).blocks[0]?.text).toBe("[\n  [\n    [\n      1\n    ]\n  ]\n]");
    const tooDeep = nested(100_000, 1);
    expect(tellingInput(tooDeep)).toMatch(/too deep/);
    expect(toolInput(tooDeep).blocks[0]?.text).toMatch(/too deep/);
  });

  it.each([
    ["a text", { facts: [], blocks: [{ label: "Input", text: "a text", isTerminal: false, language: null }] }],
    [null, { facts: [], blocks: [] }],
  ])("that is %j", (input, shown) => {
    expect(toolInput(input)).toEqual(shown);
  });
});
