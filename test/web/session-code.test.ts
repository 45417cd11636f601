/** Code in colours: in which language it is, and what becomes of text that is not read in time. */
import { tokenize } from "@speed-highlight/core";
import { afterEach, describe, expect, it, vi } from "vitest";
import { outputLanguage } from "#web/src/session/items/tool-input.ts";
import { Highlighter } from "#web/src/session/text/code/highlighter.ts";
import { languageNamed, languageOfFile } from "#web/src/session/text/code/languages.ts";
import { type Token, tokenKind, tokenLines } from "#web/src/session/text/code/tokens.ts";
import type { Asked } from "#web/src/session/text/code/worker.ts";

type Reader = ReturnType<ConstructorParameters<typeof Highlighter>[0]>;

/** Workers that answer as they are told; null is no answer. */
function readers(answer: (asked: Asked) => Token[] | null) {
  const ended: Reader[] = [];
  const start = vi.fn((): Reader => {
    const reader: Reader = {
      onmessage: null,
      onerror: null,
      terminate: () => void ended.push(reader),
      postMessage: (asked: Asked) => {
        const data = answer(asked);
        const onmessage = reader.onmessage as ((event: MessageEvent) => void) | null;
        if (data !== null) queueMicrotask(() => onmessage?.({ data } as MessageEvent));
      },
    };
    return reader;
  });
  return { start, ended };
}

const plain = ({ text }: Asked): Token[] => [{ text, kind: null }];

afterEach(() => vi.useRealTimers());

describe("a language", () => {
  it.each([
    ["TypeScript", "ts"],
    ["tsx", "ts"],
    ["sh", "bash"],
    ["a language of nobody", null],
    ["constructor", null],
    ["", null],
    [null, null],
  ])("named %j is %j", (name, language) => expect(languageNamed(name)).toBe(language));

  it.each([
    ["src/main.rs", "rs"],
    ["/srv/app/Dockerfile", "docker"],
    ["Makefile", "make"],
    ["a.b/notes.txt", null],
    ["", null],
  ])("of the file %j is %j", (path, language) => expect(languageOfFile(path)).toBe(language));

  it.each([
    ["Read", { file_path: "a.py" }, "1→x = 1", "py"],
    ["Bash", { command: "cat a.json" }, '{"a":1}\n', "json"],
    ["Bash", { command: "ls" }, "a.py", null],
  ])("of what %s answers to %j is told", (name, input, text, language) =>
    expect(outputLanguage(name, input, text)).toBe(language),
  );
});

describe("tokens", () => {
  it("have a kind, stand in lines, and are together what was read", async () => {
    const text = "// two\n\nconst a = 'b';";
    const tokens: Token[] = [];
    await tokenize(text, "ts", (part, type) => tokens.push({ text: part, kind: tokenKind(type) }));
    const lines = tokenLines(tokens);
    expect(lines.map((line) => line.map((token) => token.text).join(""))).toEqual(text.split("\n"));
    expect(lines[0]?.[0]).toEqual({ text: "// two", kind: "comment" });
    expect(lines[2]).toContainEqual({ text: "const", kind: "keyword" });
    expect(lines[2]).toContainEqual({ text: "'b'", kind: "string" });
  });
});

describe("reading", () => {
  it("is done by one worker, once for each text", async () => {
    const { start, ended } = readers(plain);
    const highlighter = new Highlighter(start);
    const [first, second] = await Promise.all([highlighter.read("a", "ts"), highlighter.read("a", "ts")]);
    expect(second).toBe(first);
    expect(highlighter.known("a", "ts")).toBe(first);
    expect(highlighter.known("a", "js")).toBeUndefined();
    await highlighter.read("b", "ts");
    expect(start).toHaveBeenCalledTimes(1);
    expect(ended).toEqual([]);
  });

  it("ends where there is no answer in time, and what comes next has another worker", async () => {
    vi.useFakeTimers();
    const { start, ended } = readers((asked) => (asked.text === "slow" ? null : plain(asked)));
    const highlighter = new Highlighter(start);
    const slow = highlighter.read("slow", "ts");
    const next = highlighter.read("next", "ts");
    await vi.advanceTimersByTimeAsync(2_000);
    expect(await slow).toBeNull();
    expect(highlighter.known("slow", "ts")).toBeNull();
    expect(await next).toEqual([{ text: "next", kind: null }]);
    expect(ended).toHaveLength(1);
    expect(start).toHaveBeenCalledTimes(2);
  });

  it("changes no text, and leaves what is long alone", async () => {
    const { start } = readers(() => [{ text: "something else", kind: null }]);
    const highlighter = new Highlighter(start);
    expect(await highlighter.read("a", "ts")).toBeNull();
    expect(await highlighter.read("x".repeat(30_001), "ts")).toBeNull();
    expect(start).toHaveBeenCalledTimes(1);
  });
});
