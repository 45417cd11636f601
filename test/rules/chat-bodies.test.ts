/** What Telegram and Discord are sent, however long it is and whatever is written. */
import { describe, expect, it } from "vitest";
import { makeShortToken, markOf, readShortToken } from "#instance/notifications/short-answer-token.ts";
import { discordAnswered, discordBody, telegramAnswered, telegramBody } from "#rules/run/chat-bodies.ts";

const LONG = "🎺*_[x](https://evil.example) @everyone\n".repeat(1_000);
const told = (detail: string | null) => ({
  kind: "waiting" as const,
  fact: { kinds: ["waiting" as const], runId: null, atMs: 0, detail },
  routine: { id: "rtn_1", name: "docs *sync*" },
  run: null,
  publicUrl: "https://reveille.example",
});
const buttons = Array.from({ length: 10 }, (_, place) => ({ label: "x".repeat(200), value: `v${place}` }));

describe("a message to Telegram", () => {
  it("fits, with whole characters, whatever its length is", () => {
    const body = JSON.parse(telegramBody(told(LONG), buttons));
    expect(body.text.length).toBeLessThanOrEqual(4_096);
    expect(body.text.isWellFormed()).toBe(true);
    expect(body).not.toHaveProperty("parse_mode");
    expect(body.reply_markup.inline_keyboard).toHaveLength(10);
    expect(telegramAnswered(LONG, LONG).length).toBeLessThanOrEqual(4_096);
  });

  it("has no keyboard where there is nothing to press", () => {
    expect(JSON.parse(telegramBody(told(null)))).toEqual({
      text: "A run of docs *sync* waits for an answer",
      link_preview_options: { is_disabled: true },
    });
  });
});

describe("a message to Discord", () => {
  it("fits, in rows of five buttons, with whole characters and whole escapes", () => {
    const body = JSON.parse(discordBody(told(LONG), buttons));
    expect(body.content.length).toBeLessThanOrEqual(2_000);
    expect(body.content.isWellFormed()).toBe(true);
    expect(body.components.map((row: { components: unknown[] }) => row.components.length)).toEqual([5, 5]);
    expect(discordAnswered(LONG, LONG).length).toBeLessThanOrEqual(2_000);
  });

  it.each([
    ["@everyone", "\\@everyone"],
    ["<@123>", "\\<\\@123\\>"],
    ["**bold**", "\\*\\*bold\\*\\*"],
    ["[a](https://evil.example)", "\\[a\\]\\(https\\://evil.example\\)"],
    ["`code` ~~no~~ ||spoiler||", "\\`code\\` \\~\\~no\\~\\~ \\|\\|spoiler\\|\\|"],
    ["# heading", "\\# heading"],
    ["a\\b", "a\\\\b"],
  ])("shows %j as it is", (written, shown) => {
    const { content } = JSON.parse(discordBody(told(written)));
    expect(content.split("\n\n")[1]).toBe(shown);
  });

  it.each([1_690, 1_691, 1_692, 1_693, 1_694, 1_695])("ends with no half of an escape after %d letters", (length) => {
    const { content } = JSON.parse(discordBody(told(`${"x".repeat(length - 46)}${"*".repeat(60)}`)));
    expect(content).toMatch(/(?:^|[^\\])(?:\\[^\\])*…$/);
  });
});

describe("a button's short token", () => {
  const key = "signing-key-0123456789abcdef0123456789";
  const run_id = "run_01JD0000000000000000000000";

  it.each([0, 9, 99, true, false])("of %j is read as it was made, and has at most 64 bytes", async (answer) => {
    const mark = await markOf("toolu_1");
    const token = await makeShortToken(key, { run_id, mark, answer });
    expect(token.length).toBeLessThanOrEqual(64);
    expect(await readShortToken(["another key of the instance 0123456789", key], token)).toEqual({
      run_id,
      mark,
      answer,
    });
    expect(await readShortToken(["another key of the instance 0123456789"], token)).toBeNull();
  });

  it("is none with any character changed", async () => {
    const token = await makeShortToken(key, { run_id, mark: await markOf("toolu_1"), answer: true });
    const changed = Array.from(token, (letter, place) => {
      return token.slice(0, place) + (letter === "0" ? "1" : "0") + token.slice(place + 1);
    });
    expect(await Promise.all(changed.map((text) => readShortToken([key], text)))).toEqual(changed.map(() => null));
  });

  it.each(["", "x", "A".repeat(62), "A".repeat(1_000)])("is none in %j", async (text) => {
    expect(await readShortToken([key], text)).toBeNull();
  });
});
