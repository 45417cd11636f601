/** The two secrets of an attempt: only the exact token of the exact attempt is good. */
import { describe, expect, it } from "vitest";
import { makeAttemptToken, verifyAttemptToken } from "#instance/attempt-token.ts";

const KEY = "signing-key-of-the-tests-0123456789abcdef";
const LEASE = { run_id: "run_0ABCDEFGHJKMNPQRSTVWXYZ012", generation: 2 };
const LINK = await makeAttemptToken(KEY, "link", LEASE);
const PROXY = await makeAttemptToken(KEY, "proxy", LEASE);

/** The same text with another character in one place. */
function tampered(token: string, place: number): string {
  return `${token.slice(0, place)}${token[place] === "0" ? "1" : "0"}${token.slice(place + 1)}`;
}

describe("attempt tokens", () => {
  it.each(["link", "proxy"] as const)("a %s token gives its lease back", async (kind) => {
    const token = kind === "link" ? LINK : PROXY;
    expect(await verifyAttemptToken([KEY], kind, token)).toEqual(LEASE);
  });

  it.each([1, 9, 10, 999_999])("generation %i is told from all others", async (generation) => {
    const token = await makeAttemptToken(KEY, "link", { ...LEASE, generation });
    expect(await verifyAttemptToken([KEY], "link", token)).toEqual({ ...LEASE, generation });
  });

  it("the same attempt has the same tokens, so that an offer can be repeated", async () => {
    expect(await makeAttemptToken(KEY, "link", LEASE)).toBe(LINK);
  });

  it("the two tokens of an attempt share nothing but the lease", () => {
    expect(LINK.slice(-64)).not.toBe(PROXY.slice(-64));
  });

  it.each<[string, "link" | "proxy", string]>([
    ["a proxy token is no link token", "link", PROXY],
    ["a link token is no proxy token", "proxy", LINK],
    ["a proxy token that calls itself a link token", "link", PROXY.replace("rvl_proxy", "rvl_link")],
    ["another run", "link", LINK.replace("WXYZ012", "WXYZ013")],
    ["another generation", "link", LINK.replace("012_2_", "012_3_")],
    ["a generation that reads the same as a number", "link", LINK.replace("012_2_", "012_02_")],
    ["a signature in capitals", "link", `${LINK.slice(0, -64)}${LINK.slice(-64).toUpperCase()}`],
    ["a short signature", "link", LINK.slice(0, -2)],
    ["a long signature", "link", `${LINK}00`],
    ["no signature", "link", LINK.slice(0, -64)],
    ["a line end", "link", `${LINK}\n`],
    ["a space before it", "link", ` ${LINK}`],
    ["an empty text", "link", ""],
    ["the run's id alone", "link", LEASE.run_id],
    ["an id that is none", "link", LINK.replace("run_0A", "run_0U")],
  ])("refuses %s", async (_sentence, kind, token) => {
    expect(await verifyAttemptToken([KEY], kind, token)).toBeNull();
  });

  it("refuses the token of another instance", async () => {
    expect(await verifyAttemptToken([`${KEY}x`], "link", LINK)).toBeNull();
  });

  it("refuses a token with any one character changed", async () => {
    const places = [...LINK].map((_, place) => place);
    const accepted = await Promise.all(places.map((place) => verifyAttemptToken([KEY], "link", tampered(LINK, place))));
    expect(accepted.filter((lease) => lease !== null)).toEqual([]);
  });
});
