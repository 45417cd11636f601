/** The beginning of an answer, whatever becomes of its end. */
import { describe, expect, it } from "vitest";
import { readStart } from "#worker/proxy/read-start.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

describe("the beginning of an answer", () => {
  it("is all of a short one", async () => {
    expect(await readStart(new Response("short").body, 100)).toBe("short");
    expect(await readStart(null, 100)).toBe("");
  });

  it("is what came, of one that neither goes on nor ends nor can be canceled", async () => {
    const stuck = new ReadableStream<Uint8Array>({
      start: (controller) => controller.enqueue(bytes("begun")),
      cancel: () => new Promise(() => {}),
    });
    expect(await readStart(stuck, 100, 1)).toBe("begun");
  });
});
