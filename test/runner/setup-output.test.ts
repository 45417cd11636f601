/** What of a setup script's output the transcript has: a table over lengths, and characters that come in parts. */
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { byteLength } from "#protocol/transcript.ts";
import { Redactor } from "#rules/secrets/redactor.ts";
import { scriptText } from "#sandbox-runner/setup/run-script.ts";
import { BEGINNING, END, type OutputEvent, PIECE, SetupOutput } from "#sandbox-runner/setup/setup-output.ts";

const SECRET = "canary-of-the-script-0123456789";
const SECRETS = [SECRET, "two lines\nof a secret"];

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function told(pieces: (string | Buffer)[]): { events: OutputEvent[]; last: string } {
  const events: OutputEvent[] = [];
  const output = new SetupOutput((event) => events.push(event), new Redactor(SECRETS));
  for (const piece of pieces) output.add(Buffer.from(piece));
  const last = output.close();
  return { events, last };
}

describe("a script's output", () => {
  it.each([
    ["nothing", 0],
    ["a little", 10],
    ["a piece", PIECE],
    ["all of the beginning", BEGINNING],
    ["one more than the beginning", BEGINNING + 1],
    ["beginning and end", BEGINNING + END],
  ])("is told whole: %s", (_what, length) => {
    const text = "x".repeat(length);
    const { events, last } = told([text]);
    expect(events.map((event) => event.text).join("")).toBe(text);
    expect(events.every((event) => event.left_out_bytes === undefined && event.text.length <= END)).toBe(true);
    expect(last).toBe(text.slice(-END));
  });

  it("is told with its beginning and its end where it is longer, and how much is left out", () => {
    const { events, last } = told(["b".repeat(BEGINNING), "é".repeat(1_000), "e".repeat(END)]);
    expect(
      events
        .slice(0, -1)
        .map(({ text }) => text)
        .join(""),
    ).toBe("b".repeat(BEGINNING));
    expect(events.at(-1)).toEqual({ type: "setup.output", text: "e".repeat(END), left_out_bytes: 2_000 });
    expect(last).toBe("e".repeat(END));
  });

  it.each([
    ["the end of a piece", PIECE - 1, 100],
    ["the end of the beginning", BEGINNING - 1, 100],
    ["the end of the beginning, with more than the end", BEGINNING - 1, END + 100],
    ["the beginning of the end", BEGINNING + 50, END - 1],
    ["the beginning of the end, with much before it", BEGINNING + 5_000, END - 1],
  ])("keeps a character whole at %s", (_what, before, after) => {
    const text = `${"x".repeat(before)}\u{1f600}${"y".repeat(after)}`;
    const { events, last } = told([text]);
    expect([...events.map((event) => event.text), last].every((one) => one.isWellFormed())).toBe(true);
    const leftOut = events.reduce((sum, event) => sum + (event.left_out_bytes ?? 0), 0);
    const toldText = events.map((event) => event.text).join("");
    expect(byteLength(toldText) + leftOut).toBe(byteLength(text));
    if (leftOut === 0) expect(toldText).toBe(text);
  });

  it("comes as it is written, in whole lines, with characters that came in parts", () => {
    const events: OutputEvent[] = [];
    const output = new SetupOutput((event) => events.push(event), new Redactor(SECRETS));
    const [first, second] = [Buffer.from("one\nzw\u00f6").subarray(0, 7), Buffer.from("ö\n").subarray(1)];
    output.add(first);
    vi.advanceTimersByTime(500);
    expect(events).toEqual([{ type: "setup.output", text: "one\n" }]);
    output.add(second);
    vi.advanceTimersByTime(500);
    expect(events.slice(1)).toEqual([{ type: "setup.output", text: "zwö\n" }]);
    expect(output.close()).toBe("one\nzwö\n");
  });
});

describe("a secret in a script's output", () => {
  const filler = (length: number) => "x".repeat(length);
  it.each([
    ["as it is", [`a ${SECRET} b\n`]],
    ["in pieces", [`a ${SECRET.slice(0, 9)}`, SECRET.slice(9), "\n"]],
    ["byte by byte", [...SECRET]],
    ["at the end of a piece", [filler(PIECE - 9), SECRET]],
    ["at the end of the beginning", [filler(BEGINNING - 9), SECRET, filler(END)]],
    ["at the beginning of the end", [filler(BEGINNING), filler(100), SECRET, filler(END - 9)]],
    ["in base64, in lines of 20", [(btoa(`user:${SECRET}`).match(/.{1,20}/g) ?? []).join("\n")]],
    ["in lines", ["two lines\n", "of a secret\n"]],
  ])("is in no event, nor in the last words: %s", (_what, pieces) => {
    const { events, last } = told(pieces);
    const text = `${events.map((event) => event.text).join("")} ${last}`;
    expect(text).toContain("[secret]");
    expect(text.replaceAll(/x+/g, "x")).not.toMatch(/canar|0123456|Y2FuYXJ|two lines|of a secret|6789x|89x/);
  });
});

describe("a script's text", () => {
  it.each([
    ["echo a", "echo a\n"],
    ["echo a\r\necho b\r\n", "echo a\necho b\n"],
    ["\uFEFF#!/bin/sh\r\n", "#!/bin/sh\n"],
    ["printf 'a\rb'\n", "printf 'a\rb'\n"],
  ])("%j is run as %j", (script, text) => {
    expect(scriptText(script)).toBe(text);
  });
});
