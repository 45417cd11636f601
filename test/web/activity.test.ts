/** Two lists that are read page by page, shown as one; and what the lists are narrowed to. */
import { describe, expect, it } from "vitest";
import type { Delivery } from "#protocol/delivery.ts";
import type { Occurrence } from "#protocol/occurrence.ts";
import { parseDeliveryFilters } from "#web/src/deliveries/delivery-filters.ts";
import { activityOf, shorterOf } from "#web/src/routines/activity-items.ts";
import { parseRoutineFilters } from "#web/src/routines/routine-filters.ts";
import { parseRunFilters, toRunQuery } from "#web/src/runs/run-filters.ts";

const minute = (at: number) => `2026-11-21T09:${String(at).padStart(2, "0")}:00.000Z`;
const occurrence = (at: number) => ({ id: `occ_${at}`, at: minute(at) }) as Occurrence;
const delivery = (at: number, outcomes: { routine_id: string; occurrence_id: string | null }[]) =>
  ({ id: `dlv_${at}`, received_at: minute(at), outcomes }) as Delivery;
const unmatched = [{ routine_id: "rtn_1", occurrence_id: null }];

describe("a routine's activity", () => {
  it("has what did not match among what could start runs, and nothing twice", () => {
    const came = { items: [occurrence(9), occurrence(5)], hasMore: false };
    const sent = {
      items: [
        delivery(10, unmatched),
        delivery(9, [{ routine_id: "rtn_1", occurrence_id: "occ_9" }]),
        delivery(8, [{ routine_id: "rtn_2", occurrence_id: null }]),
        delivery(4, unmatched),
      ],
      hasMore: false,
    };
    const items = activityOf("rtn_1", came, sent);
    expect(items.map((item) => (item.kind === "occurrence" ? item.occurrence.id : item.delivery.id))).toEqual([
      "dlv_10",
      "occ_9",
      "occ_5",
      "dlv_4",
    ]);
    expect(items.map((item) => (item.kind === "occurrence" ? item.deliveryId : null))).toEqual([
      null,
      "dlv_9",
      null,
      null,
    ]);
    expect(shorterOf(came, sent)).toBeNull();
  });

  it("goes only as far back as both lists were read, and reads the shorter on", () => {
    const came = { items: [occurrence(9), occurrence(7)], hasMore: true };
    const sent = { items: [delivery(8, unmatched), delivery(3, unmatched)], hasMore: true };
    expect(activityOf("rtn_1", came, sent).map(({ at }) => at)).toEqual([minute(9), minute(8), minute(7)]);
    expect(shorterOf(came, sent)).toBe("occurrences");
    expect(shorterOf({ ...came, hasMore: false }, sent)).toBe("deliveries");
    expect(activityOf("rtn_1", came, { items: [], hasMore: true })).toEqual([]);
    expect(shorterOf(came, { items: [], hasMore: true })).toBe("deliveries");
  });
});

describe("what an address narrows a list to", () => {
  const routine = "rtn_06ETZ000000000000000000000";

  it.each([
    [{}, {}],
    [
      { state: "failed", result: "blocked", trigger: "github", since: "day", routine, search: " a b " },
      { state: "failed", result: "blocked", trigger: "github", since: "day", routine, search: "a b" },
    ],
    [{ state: "nothing", result: 1, trigger: null, since: "toString", routine: "x", search: "  " }, {}],
  ])("of runs, %o", (given, filters) => {
    expect(parseRunFilters(given)).toEqual(filters);
  });

  it("is asked of the API in its words", () => {
    expect(toRunQuery({ state: "failed", since: "day", search: "x" }, Date.parse("2026-11-22T09:00:00.000Z"))).toEqual({
      status: ["failed", "timed_out"],
      from: "2026-11-21T09:00:00.000Z",
      search: "x",
    });
    expect(toRunQuery({}, 0)).toEqual({});
  });

  it("of deliveries and routines is what is known of it", () => {
    expect(parseDeliveryFilters({ source: "github", status: "gone", search: "push " })).toEqual({
      source: "github",
      search: "push",
    });
    expect(parseRoutineFilters({ tag: "team:docs", status: "paused", search: 7 })).toEqual({
      tag: "team:docs",
      status: "paused",
    });
    expect(parseRoutineFilters({ tag: "no tag", status: "gone" })).toEqual({});
  });
});
