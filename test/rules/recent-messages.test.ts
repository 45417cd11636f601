/** Messages that were made last: the one that comes next for a viewer is there, or none, and not many are kept. */
import { describe, expect, it } from "vitest";
import { RecentMessages } from "#durable-objects/routine/viewers/recent-messages.ts";
import type { Batch } from "#rules/viewer-window.ts";

/** As much as is kept, in UTF-16 units. */
const KEPT = 4_194_304;

/** A message that ends with this event. */
function message(seq: number, length = 10): Batch {
  return { seq, endBytes: seq * 10, count: 1, text: "x".repeat(length) };
}

function messagesOf(...added: [sessionId: string, after: number, message: Batch][]): RecentMessages {
  const messages = new RecentMessages();
  for (const one of added) messages.add(...one);
  return messages;
}

describe("after a place", () => {
  const messages = messagesOf(["one", 0, message(4)], ["one", 4, message(5)], ["other", 0, message(9)]);

  it.each<[string, string, number, number | null]>([
    ["where a message begins", "one", 0, 4],
    ["where the next one begins", "one", 4, 5],
    ["within a message", "one", 2, null],
    ["at the end", "one", 5, null],
    ["of another session", "other", 0, 9],
    ["of a session without messages", "third", 0, null],
  ])("%s", (_sentence, sessionId, after, seq) => {
    expect(messages.after(sessionId, after)?.seq ?? null).toBe(seq);
  });
});

describe("what is kept", () => {
  it("is the message that was made last, of two that begin at the same place", () => {
    const messages = messagesOf(
      ["one", 0, message(4, KEPT)],
      ["one", 0, message(2)],
      ["one", 2, message(4, KEPT - 10)],
    );
    expect(messages.after("one", 0)?.seq).toBe(2);
    expect(messages.after("one", 2)?.seq).toBe(4);
  });

  it("is four mebi of UTF-16 units, the newest", () => {
    const messages = messagesOf(["one", 0, message(1, 1)], ["other", 1, message(2, KEPT - 1)]);
    expect(messages.after("one", 0)?.seq).toBe(1);
    messages.add("one", 1, message(2, 1));
    expect(messages.after("one", 0)).toBeNull();
    expect(messages.after("other", 1)).not.toBeNull();
    messages.add("one", 2, message(3, 1));
    expect(messages.after("other", 1)).toBeNull();
    expect(messages.after("one", 1)).not.toBeNull();
  });

  it("is one message that is longer than that, alone", () => {
    const messages = messagesOf(["one", 0, message(1)], ["one", 1, message(2, 2 * KEPT)]);
    expect(messages.after("one", 0)).toBeNull();
    expect(messages.after("one", 1)?.seq).toBe(2);
  });

  it("is 32 messages", () => {
    const messages = new RecentMessages();
    for (let after = 0; after < 40; after += 1) messages.add("one", after, message(after + 1));
    const kept = Array.from({ length: 40 }, (_, after) => messages.after("one", after)).filter((one) => one !== null);
    expect(kept.map(({ seq }) => seq)).toEqual(Array.from({ length: 32 }, (_, index) => index + 9));
  });

  it("is nothing once a session is deleted", () => {
    const messages = messagesOf(["one", 0, message(1, KEPT)]);
    messages.clear();
    expect(messages.after("one", 0)).toBeNull();
    messages.add("one", 1, message(2, KEPT));
    messages.add("one", 1, message(2, KEPT - 1));
    messages.add("one", 2, message(3, 1));
    expect(messages.after("one", 1)?.seq).toBe(2);
  });
});
