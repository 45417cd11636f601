/** Ids sort by time, tell their owner, and are never made twice. */
import { describe, expect, it } from "vitest";
import {
  connectorIdSchema,
  deliveryIdSchema,
  drawOwnerKey,
  environmentIdSchema,
  type IdKind,
  IdMaker,
  notificationIdSchema,
  occurrenceIdSchema,
  ownerKeyOf,
  type RandomBytes,
  routineIdSchema,
  runIdSchema,
  sessionIdSchema,
  signInIdSchema,
  timeOf,
  triggerIdSchema,
} from "#protocol/ids.ts";
import { chance } from "./support/random.ts";
import { NOW_MS } from "./support/run-states.ts";

function seeded(seed: number): RandomBytes {
  const random = chance(seed);
  return (bytes) => bytes.map(() => random.below(256));
}
const zeros: RandomBytes = (bytes) => bytes.fill(0);
const ones: RandomBytes = (bytes) => bytes.fill(255);
const OWNER = drawOwnerKey(seeded(1));

const SCHEMAS = {
  routine: routineIdSchema,
  trigger: triggerIdSchema,
  occurrence: occurrenceIdSchema,
  run: runIdSchema,
  session: sessionIdSchema,
  delivery: deliveryIdSchema,
  sign_in: signInIdSchema,
  environment: environmentIdSchema,
  notification: notificationIdSchema,
  connector: connectorIdSchema,
} satisfies Record<IdKind, unknown>;
const kinds = Object.keys(SCHEMAS) as IdKind[];

describe("an id", () => {
  it.each(kinds)("of a %s fits its schema, and no other", (kind) => {
    const id = new IdMaker(OWNER, seeded(2)).make(kind, NOW_MS);
    expect(kinds.filter((other) => SCHEMAS[other].safeParse(id).success)).toEqual([kind]);
  });

  it.each(kinds)("of a %s tells its owner and its time", (kind) => {
    const id = new IdMaker(OWNER, seeded(3)).make(kind, NOW_MS);
    expect(ownerKeyOf(id)).toBe(OWNER);
    expect(timeOf(id)).toBe(NOW_MS);
  });

  it.each([
    ["the first moment", 1],
    ["a thousand years from now", Date.UTC(3000, 0, 1)],
    ["the last moment that 45 bits hold", 2 ** 45 - 1],
  ])("keeps its time at %s", (_sentence, nowMs) => {
    const id = new IdMaker(OWNER, ones).make("run", nowMs);
    expect(runIdSchema.safeParse(id).success).toBe(true);
    expect(timeOf(id)).toBe(nowMs);
    expect(ownerKeyOf(id)).toBe(OWNER);
  });
});

describe("IdMaker", () => {
  it("makes each id greater than the one before, whatever the clock does", () => {
    const random = chance(4);
    const maker = new IdMaker(OWNER, seeded(5));
    let nowMs = NOW_MS;
    const ids = Array.from({ length: 20_000 }, () => {
      nowMs += [0, 0, 0, 1, 5, -3, -1_000][random.below(7)] ?? 0;
      return maker.make("run", nowMs);
    });
    expect(ids).toEqual([...ids].sort());
    expect(new Set(ids).size).toBe(ids.length);
  });

  it("has room for many ids within one millisecond, wherever the serial starts", () => {
    const maker = new IdMaker("0".repeat(12), ones);
    const first = maker.make("run", NOW_MS);
    const ids = Array.from({ length: 1_000 }, () => maker.make("run", NOW_MS));
    expect(ids.every((id) => id > first)).toBe(true);
    expect(ids.every((id) => timeOf(id) === NOW_MS)).toBe(true);
  });

  it("goes on counting when the clock has stepped back", () => {
    const maker = new IdMaker(OWNER, zeros);
    const before = maker.make("run", NOW_MS);
    const after = maker.make("run", NOW_MS - 3_600_000);
    expect(after > before).toBe(true);
    expect(timeOf(after)).toBe(NOW_MS);
  });

  it("sorts ids of several makers by their time", () => {
    const early = new IdMaker(OWNER, ones).make("run", NOW_MS);
    const late = new IdMaker(OWNER, zeros).make("run", NOW_MS + 1);
    expect(late > early).toBe(true);
  });

  it("does not repeat itself when the object is made anew within one millisecond", () => {
    const random = seeded(6);
    const ids = Array.from({ length: 200 }, () => new IdMaker(OWNER, random).make("run", NOW_MS));
    expect(new Set(ids).size).toBe(200);
  });
});

describe("drawOwnerKey", () => {
  it("uses every sign of the alphabet, and no other", () => {
    const random = seeded(7);
    const keys = Array.from({ length: 2_000 }, () => drawOwnerKey(random));
    expect(keys.every((key) => /^[0-9A-HJKMNP-TV-Z]{12}$/.test(key))).toBe(true);
    expect(new Set(keys.join("")).size).toBe(32);
    expect(new Set(keys).size).toBe(2_000);
  });
});

describe("ownerKeyOf", () => {
  const BODY = "0ABCDEFGHJKMNPQRSTVWXYZ012";
  it.each([
    ["an empty text", ""],
    ["an unknown prefix", `cat_${BODY}`],
    ["no prefix", BODY],
    ["one character too few", `run_${BODY.slice(1)}`],
    ["one character too many", `run_${BODY}0`],
    ["small letters", `run_${BODY.toLowerCase()}`],
    ["a letter that base 32 leaves out", `run_U${BODY.slice(1)}`],
    ["a path trick", `run_../${BODY.slice(3)}`],
    ["a line end", `run_${BODY}\n`],
    ["a name of every object", "run_constructor"],
  ])("is null for %s", (_sentence, id) => {
    expect(ownerKeyOf(id)).toBeNull();
    expect(runIdSchema.safeParse(id).success).toBe(false);
  });
});
