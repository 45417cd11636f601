/** What is kept encrypted: readable in its own place, with the present key and the one before, and in no other way. */
import { describe, expect, it } from "vitest";
import { KeyRing, type Place } from "#instance/key-ring.ts";

const [NOW, BEFORE, OTHER] = ["now", "before", "other"].map((name) => `signing-key-${name}-0123456789abcdef`) as [
  string,
  string,
  string,
];
const PLACE: Place = { kind: "endpoint-secret", id: "trg_1" };
const SECRET = "rvw_a secret of ünusual form";
const ring = new KeyRing([NOW]);
const rotating = new KeyRing([NOW, BEFORE]);
const sealed = await ring.seal(PLACE, SECRET);

/** As version 0.1 encrypted secrets of endpoints. */
async function sealedWithoutId(signingKey: string, place: string): Promise<string> {
  const encoder = new TextEncoder();
  const raw = await crypto.subtle.importKey("raw", encoder.encode(signingKey), "HKDF", false, ["deriveKey"]);
  const use = { name: "HKDF", hash: "SHA-256", salt: new Uint8Array(), info: encoder.encode("endpoint-secrets") };
  const key = await crypto.subtle.deriveKey(use, raw, { name: "AES-GCM", length: 256 }, false, ["encrypt"]);
  const iv = crypto.getRandomValues(new Uint8Array(12));
  const algorithm = { name: "AES-GCM", iv, additionalData: encoder.encode(place) };
  const text = new Uint8Array(await crypto.subtle.encrypt(algorithm, key, encoder.encode(SECRET)));
  return btoa(String.fromCharCode(...iv, ...text));
}

/** The same text with another character in one place. */
function tampered(text: string, place: number): string {
  return `${text.slice(0, place)}${text[place] === "0" ? "1" : "0"}${text.slice(place + 1)}`;
}

describe("the key ring", () => {
  it("reads what it has sealed, and seals nothing twice in the same way", async () => {
    expect(await ring.open(PLACE, sealed)).toEqual({ ok: true, text: SECRET, isStale: false });
    expect(await ring.seal(PLACE, SECRET)).not.toBe(sealed);
    expect(sealed).not.toContain(btoa(SECRET.slice(0, 9)));
  });

  it.each<[string, string | Promise<string>, KeyRing, boolean]>([
    ["the present key", sealed, rotating, false],
    ["the key before", new KeyRing([BEFORE]).seal(PLACE, SECRET), rotating, true],
    ["the key that is the one before by now", sealed, new KeyRing([OTHER, NOW]), true],
    ["the present key, in the form without an id", sealedWithoutId(NOW, "trg_1"), ring, true],
    ["the key before, in the form without an id", sealedWithoutId(BEFORE, "trg_1"), rotating, true],
  ])(
    "reads what was sealed with %s, and tells whether it has to be sealed anew",
    async (_what, text, keys, isStale) => {
      expect(await keys.open(PLACE, await text)).toEqual({ ok: true, text: SECRET, isStale });
    },
  );

  it.each<[string, string | Promise<string>, Place, "key_unknown" | "damaged"]>([
    ["a key that is not in force", new KeyRing([OTHER]).seal(PLACE, SECRET), PLACE, "key_unknown"],
    ["another key, without an id", sealedWithoutId(OTHER, "trg_1"), PLACE, "key_unknown"],
    ["another trigger's", sealed, { ...PLACE, id: "trg_2" }, "damaged"],
    ["another kind's", sealed, { kind: "github-app", id: "trg_1" }, "damaged"],
    ["another kind's, without an id", sealedWithoutId(NOW, "app"), { kind: "github-app", id: "app" }, "damaged"],
    ["one without an id, of another trigger", sealedWithoutId(NOW, "trg_2"), PLACE, "key_unknown"],
    ["one cut off", sealed.slice(0, -4), PLACE, "damaged"],
    ["one whose end is missing", sealed.slice(0, sealed.lastIndexOf(".") + 1), PLACE, "damaged"],
    ["another form", sealed.replace("rk1", "rk2"), PLACE, "damaged"],
    ["one with a part more", `${sealed}.x`, PLACE, "damaged"],
    ["a form in which characters are none of base64's", sealed.replace(/.{4}$/, "§§§§"), PLACE, "damaged"],
    ["a text that was never sealed", "plain", PLACE, "key_unknown"],
    ["an empty text", "", PLACE, "key_unknown"],
  ])("does not read %s, and says why", async (_what, text, place, fault) => {
    expect(await rotating.open(place, await text)).toEqual({ ok: false, fault });
  });

  it("reads nothing of which any one character was changed", async () => {
    const places = [...sealed].map((_, place) => place);
    const opened = await Promise.all(places.map((place) => ring.open(PLACE, tampered(sealed, place))));
    // The last characters of base64 may hold bits that count for nothing.
    const read = opened.filter((one) => one.ok && one.text !== SECRET);
    expect(read).toEqual([]);
    expect(opened.filter(({ ok }) => ok).length).toBeLessThanOrEqual(1);
  });
});
