/** The keys by which events find triggers: names that say the same are one, and those that were saved before are found as well. */
import { expect, it } from "vitest";
import { routineKeys, subscriptionsOf } from "#rules/triggers/subscriptions.ts";
import { keysOf } from "#worker/inbound/read-delivery.ts";

const AS_TYPED = "Caf\u00e9";
const APART = "Cafe\u0301";

it.each([AS_TYPED, APART])("a trigger for %j is found, however its name is written", (saved) => {
  for (const told of [AS_TYPED, APART]) {
    const trigger = { id: "trg_1", type: "event", name: saved, filters: [] } as const;
    const [key] = subscriptionsOf(trigger, []);
    expect(keysOf({ source: "event", name: told, github: null })).toContain(key);
    const chained = { id: "trg_2", type: "routine", routine: saved, on: ["succeeded"] } as const;
    const [ofRoutine] = subscriptionsOf({ ...chained, on: [...chained.on] }, []);
    expect(routineKeys("rtn_1", [told])).toContain(ofRoutine);
  }
});

it("a trigger is found that an earlier version has kept as its name was written", () => {
  expect(keysOf({ source: "event", name: APART, github: null })).toContain(`event:${APART}`);
  expect(routineKeys("rtn_1", [APART])).toContain(`routine-name:${APART}`);
});
