/** How often an issuer is asked for its keys, whoever makes us look. */
import { describe, expect, it } from "vitest";
import { keepIssuerKeys } from "#worker/inbound/sources/issuer-keys.ts";

const URL = "https://issuer.test/keys";
const MINUTE_MS = 60_000;
const START_MS = Date.UTC(2026, 10, 20);

/** An issuer whose answers are scripted; the last one stays. */
function issuer(...answers: (string[] | Error)[]) {
  const keys = keepIssuerKeys();
  let asked = 0;
  const fetchKeys = async () => {
    const answer = answers[Math.min(asked, answers.length - 1)];
    asked += 1;
    if (!Array.isArray(answer)) throw answer;
    return { keys: answer.map((kid) => ({ kty: "RSA", n: "AQAB", e: "AQAB", kid, alg: "RS256", use: "sig" })) };
  };
  return {
    asked: () => asked,
    async idsFor(kid: string, afterMs: number) {
      const found = await keys.find(URL, kid, START_MS + afterMs, fetchKeys);
      return found.keys.map((key) => key.kid);
    },
  };
}

describe("an issuer's keys", () => {
  it("are asked for once an hour while the key is known", async () => {
    const google = issuer(["a", "b"], ["b", "c"]);
    for (const minute of [0, 1, 30, 59]) expect(await google.idsFor("a", minute * MINUTE_MS)).toEqual(["a", "b"]);
    expect(google.asked()).toBe(1);
    expect(await google.idsFor("a", 60 * MINUTE_MS)).toEqual(["b", "c"]);
    expect(google.asked()).toBe(2);
  });

  it("are asked for again for a new key, once five minutes have passed", async () => {
    const google = issuer(["a"], ["a", "b"]);
    await google.idsFor("a", 0);
    expect(await google.idsFor("b", 5 * MINUTE_MS - 1)).toEqual(["a"]);
    expect(await google.idsFor("b", 5 * MINUTE_MS)).toEqual(["a", "b"]);
    expect(google.asked()).toBe(2);
  });

  it("are asked for every five minutes at most, however many keys are made up, and at once", async () => {
    const google = issuer(["a"]);
    await google.idsFor("a", 0);
    const forged = Array.from({ length: 50 }, (_, count) => google.idsFor(`forged-${count}`, 6 * MINUTE_MS));
    for (const ids of await Promise.all(forged)) expect(ids).toEqual(["a"]);
    expect(google.asked()).toBe(2);
    for (let second = 0; second < 600; second += 10) await google.idsFor("forged", 11 * MINUTE_MS + second * 1_000);
    expect(google.asked()).toBe(4);
  });

  it("are unreachable for ten seconds once they could not be read, then asked for again", async () => {
    const google = issuer(new Error("down"), ["a"]);
    await expect(google.idsFor("a", 0)).rejects.toThrow("down");
    await expect(google.idsFor("a", 9_999)).rejects.toThrow("unreachable");
    expect(google.asked()).toBe(1);
    expect(await google.idsFor("a", 10_000)).toEqual(["a"]);
  });

  it("stay as they are when asking for a new one fails, and the failure is told", async () => {
    const google = issuer(["a"], new Error("down"));
    await google.idsFor("a", 0);
    await expect(google.idsFor("b", 5 * MINUTE_MS)).rejects.toThrow("down");
    expect(await google.idsFor("a", 5 * MINUTE_MS)).toEqual(["a"]);
    expect(await google.idsFor("b", 6 * MINUTE_MS)).toEqual(["a"]);
    expect(google.asked()).toBe(2);
  });

  it.each([null, "keys", {}, { keys: "none" }])("are not %j", async (document) => {
    const found = keepIssuerKeys().find(URL, "a", START_MS, async () => document);
    await expect(found).rejects.toThrow();
  });

  it("are those for RS256 alone", async () => {
    const rsa = { kty: "RSA", n: "AQAB", e: "AQAB", kid: "a", alg: "RS256", use: "sig" };
    const others = [{ kty: "EC", kid: "b" }, { kty: "oct", k: "AQAB", kid: "c" }, { ...rsa, use: "enc" }, "nothing"];
    const found = await keepIssuerKeys().find(URL, "a", START_MS, async () => ({ keys: [...others, rsa] }));
    expect(found).toEqual({ keys: [rsa] });
  });
});
