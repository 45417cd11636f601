/** Metering a model call costs what is read, however long a line is and however small the pieces are. */
import { describe, expect, it } from "vitest";
import { type UsageMeter, usageMeter } from "#worker/proxy/model/usage-meter.ts";

const encoder = new TextEncoder();

describe("metering", () => {
  const line = (length: number) => encoder.encode(`data: {"type":"ping","x":"${"x".repeat(length)}"}\n\n`);
  const told = encoder.encode('data: {"type":"message_delta","usage":{"output_tokens":5}}\n\n');
  const push = (meter: UsageMeter, bytes: Uint8Array, size: number) => {
    for (let offset = 0; offset < bytes.length; offset += size) meter.push(bytes.subarray(offset, offset + size));
  };
  const feed = (contentType: string, bytes: Uint8Array, size: number) => {
    const meter = usageMeter(contentType);
    push(meter, bytes, size);
    return meter;
  };
  const timed = (work: () => void) => {
    const begun = performance.now();
    work();
    return performance.now() - begun;
  };

  it.each(["text/event-stream", "application/json"])("costs what is read, in one long line of %s", (contentType) => {
    const [small, large] = [line(100_000), line(1_600_000)];
    const readSmall = () => Array.from({ length: 16 }, () => feed(contentType, small, 64).tokens());
    const readLarge = () => feed(contentType, large, 64).tokens();
    // One after the other, and the least of several: what else the machine does only adds.
    const costs = Array.from({ length: 7 }, () => [timed(readSmall), timed(readLarge)] as const);
    const ratio = Math.min(...costs.map(([, cost]) => cost)) / Math.min(...costs.map(([cost]) => cost));
    // Both read as much. If each piece looked at all before it, the long line would cost sixteen times as much.
    expect(ratio).toBeLessThan(5);
  });

  it.each([100, 1_048_000, 1_100_000, 20_000_000])("goes on after a line of %i characters", (length) => {
    const meter = feed("text/event-stream", line(length), 65_536);
    meter.push(told);
    expect(meter.tokens().output_tokens).toBe(5);
  });

  it("takes the length of what was shown for the answer's, until its count has come", () => {
    const piece = (text: string) =>
      encoder.encode(
        `data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"${text}"}}\n\n`,
      );
    const meter = feed("text/event-stream", piece("x".repeat(300)), 65_536);
    expect(meter.tokens().output_tokens).toBe(100);
    meter.push(piece(""));
    expect(meter.tokens().output_tokens).toBe(101);
    expect(meter.isWhole()).toBe(false);
    meter.push(told);
    expect(meter.tokens().output_tokens).toBe(5);
  });

  it("is the same however the answer is cut", () => {
    const start = 'data: {"type":"message_start","message":{"usage":{"input_tokens":7,"output_tokens":1}}}\r\n\r\n';
    const sent = [encoder.encode(`${start}: \u00fc\n\n`), line(9_000), line(1_048_700), told];
    const bytes = new Uint8Array(sent.flatMap((part) => [...part]));
    const whole = feed("text/event-stream", bytes, bytes.length).tokens();
    expect(whole).toMatchObject({ input_tokens: 7, output_tokens: 5 });
    // A million letters of the long line, all alike, and well before it becomes too long, come in no smaller pieces than these.
    const [alikeFrom, alikeTo] = [20_000, 1_020_000];
    for (const size of [1, 2, 3, 13, 4_096, 65_536, 1_000_003]) {
      const meter = feed("text/event-stream", bytes.subarray(0, alikeFrom), size);
      push(meter, bytes.subarray(alikeFrom, alikeTo), Math.max(size, 4_093));
      push(meter, bytes.subarray(alikeTo), size);
      expect(meter.tokens()).toEqual(whole);
    }
  });
});
