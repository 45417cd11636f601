/** The digest that is not waited for, beside the platform's. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { sha256Hex } from "#rules/sha256.ts";

describe("SHA-256", () => {
  it.each([
    ["", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"],
    ["abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"],
  ])("of %j is what FIPS 180-4's examples show", (text, digest) => {
    expect(sha256Hex(text)).toBe(digest);
  });

  it.each([54, 55, 56, 63, 64, 65, 119, 120, 128, 100_000])("of %d letters is the platform's", async (length) => {
    expect(sha256Hex("é".repeat(length))).toBe(await platforms("é".repeat(length)));
    expect(sha256Hex("x".repeat(length))).toBe(await platforms("x".repeat(length)));
  });

  it("of any text is the platform's", async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: "binary", maxLength: 300 }), async (text) => {
        expect(sha256Hex(text)).toBe(await platforms(text));
      }),
    );
  });
});

async function platforms(text: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
