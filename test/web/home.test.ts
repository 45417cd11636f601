/** What the first page says needs a person, and what wakes next. */
import { describe, expect, it } from "vitest";
import type { DeadLetter } from "#protocol/dead-letter.ts";
import type { Pool } from "#protocol/pool.ts";
import type { ListedRoutine } from "#protocol/routine.ts";
import type { ListedRun } from "#protocol/run.ts";
import type { SharedBudget } from "#protocol/shared-budget.ts";
import { attentionOf, type Troubles } from "#web/src/home/attention.ts";
import { upcomingOf } from "#web/src/home/upcoming.ts";

const AT = "2026-11-21T09:00:00.000Z";
const TIMINGS = { queued_at: AT, starting_at: AT, running_at: AT, first_event_at: AT, finished_at: AT };
const NOTHING: Troubles = { routines: [], waiting: [], deadLetters: [], pools: [], destinations: [], budgets: [] };

/** As much of each as is looked at. */
function routine(given: { [Key in keyof ListedRoutine]?: unknown }): ListedRoutine {
  const whole = { id: "rtn_1", name: "docs-sync", status: "active", paused_reason: null, paused_by: null, tags: {} };
  return { ...whole, triggers: [], warnings: [], last_run: null, next_fire_at: null, ...given } as ListedRoutine;
}
const lastRun = (given: object) => ({
  id: "run_1",
  session_id: "session_1",
  result: null,
  summary: null,
  error: null,
  timings: TIMINGS,
  ...given,
});
const waiting = (what: object) =>
  ({
    id: "run_2",
    routine_id: "rtn_2",
    session_id: "session_2",
    status: "waiting",
    routine: { name: "triage" },
    waiting: { since: AT, ...what },
  }) as ListedRun;
const letter = (given: object) =>
  ({
    id: "occ_1",
    routine_id: "rtn_1",
    at: AT,
    trigger: { summary: "Each day" },
    outcome: "refused",
    reason: "queue_full",
    run_id: null,
    error: null,
    ...given,
  }) as DeadLetter;
const pool = (given: object) =>
  ({ name: "gpu", why: null, waiting: 0, waiting_since: null, runners: [], ...given }) as unknown as Pool;

const told = (troubles: Partial<Troubles>) =>
  attentionOf({ ...NOTHING, ...troubles }).map(({ subject, text, remedy }) => [
    subject,
    text,
    remedy.kind === "page" ? remedy.to : "name" in remedy ? remedy.name : remedy.kind,
  ]);

describe("what needs a person", () => {
  it("is nothing where nothing is the matter", () => {
    const routines = [routine({}), routine({ last_run: lastRun({ status: "succeeded", result: "done" }) })];
    const pools = [
      pool({}),
      pool({ waiting: 3, why: { reason: "all_busy", message: "All are busy.", hint: "Wait." } }),
    ];
    expect(told({ routines, pools, waiting: [waiting({ for: "message" })] })).toEqual([]);
  });

  it("is a connector that can't be used, once for all routines that name it, and not for those that are paused", () => {
    const warning = (place: number, name: string) => ({
      code: "connector_not_ready",
      field: `connectors[${place}]`,
      message: `the connector "${name}" needs a login when it was looked at last: Nobody is logged in.`,
    });
    const other = { code: "unknown_event", field: "triggers[0]", message: "there is no such event" };
    const routines = [
      routine({ connectors: ["slack", { name: "linear" }], warnings: [warning(1, "linear"), other] }),
      routine({ id: "rtn_2", name: "triage", connectors: ["linear"], warnings: [warning(0, "linear")] }),
      routine({ id: "rtn_3", status: "paused", connectors: ["sentry"], warnings: [warning(0, "sentry")] }),
    ];
    expect(told({ routines })).toEqual([
      [
        "Connector linear",
        'The connector "linear" needs a login when it was looked at last: Nobody is logged in. It is for runs of docs-sync, triage.',
        "linear",
      ],
      ["docs-sync", "There is no such event.", "edit"],
    ]);
  });

  it.each([
    [{ for: "question", question: { text: "Which branch?" } }, "Which branch?", "session"],
    [{ for: "approval" }, "Waits for an approval.", "session"],
    [{ for: "budget" }, "Waits: its budget is used up.", "edit"],
  ])("is a run that waits for %o", (what, text, where) => {
    expect(told({ waiting: [waiting(what)] })).toEqual([["triage", text, where]]);
  });

  it.each([
    ["its own", [], "edit"],
    ["one of everything that has money left", [{ scope: "instance", spent_usd: 19 }], "edit"],
    ["one of other routines", [{ scope: "tag", tag: "team", value: "sales", spent_usd: 20 }], "edit"],
    ["one of its tag", [{ scope: "tag", tag: "team", value: "docs", spent_usd: 20 }], "/budgets"],
    ["one of everything", [{ scope: "instance", spent_usd: 20 }], "/budgets"],
  ])("is a run that waits for money, which leads to where that is raised: %s", (_whose, given, where) => {
    const budgets = given.map((budget) => ({ ...budget, monthly_usd: 20 })) as SharedBudget[];
    const routines = [routine({ id: "rtn_2", name: "triage", tags: { team: "docs" } })];
    const text = "Waits: money is spent.";
    const run = waiting({ for: "budget", reason: "money is spent" });
    expect(told({ routines, budgets, waiting: [run] })[0]).toEqual(["triage", text, where]);
  });

  it.each([
    [{ status: "failed", summary: "The clone failed." }, {}, "Its last run failed. The clone failed."],
    [
      { status: "failed", error: { message: "The repository is not there." } },
      {},
      "Its last run failed. The repository is not there.",
    ],
    [{ status: "timed_out" }, {}, "Its last run took too long."],
    [{ status: "failed" }, { status: "paused", paused_by: "person", paused_reason: "Rest." }, "Its last run failed."],
    [{ status: "succeeded", result: "blocked", summary: "No access." }, {}, "Its last run was blocked. No access."],
  ])("is a routine whose last run is %o", (run, changed, text) => {
    const routines = [routine({ last_run: lastRun(run), ...changed })];
    expect(told({ routines })).toEqual([["docs-sync", text, "session"]]);
  });

  it("is a routine that has paused itself, told once and before what has only failed, and none that a person has paused", () => {
    const failed = lastRun({ status: "failed" });
    const paused = { status: "paused", paused_by: "failures", paused_reason: "2 runs failed.", last_run: failed };
    const routines = [
      routine({ last_run: failed }),
      routine({ id: "rtn_2", name: "triage", ...paused }),
      routine({ status: "paused", paused_by: "person" }),
    ];
    expect(told({ routines })).toEqual([
      ["triage", "It has paused itself. 2 runs failed.", "routine"],
      ["docs-sync", "Its last run failed.", "session"],
    ]);
  });

  it.each([
    ["unknown_event", "triggers[0].event", "edit"],
    ["needs_secret", "triggers[0]", "edit"],
    ["needs_secret", "variables.TOKEN", "ACME_TOKEN", "ACME_TOKEN"],
    ["environment_archived", "environment", "/environments"],
  ])(
    "is a routine with the warning %s of %s, which leads to where it is mended; no paused one",
    (code, field, where, secret?: string) => {
      const warnings = [{ code, field, message: "there is no such thing", secret }, {}];
      expect(told({ routines: [routine({ warnings })] })).toEqual([
        ["docs-sync", "There is no such thing (and 1 more).", where],
      ]);
      expect(told({ routines: [routine({ warnings, status: "paused" })] })).toEqual([]);
    },
  );

  it("is a budget that is spent, not one of which much is reserved", () => {
    const month = { monthly_usd: 20, reserved_usd: 19 };
    const budgets = [
      { scope: "instance", ...month, spent_usd: 1 },
      { scope: "tag", tag: "team", value: "docs", ...month, spent_usd: 20.5 },
    ] as SharedBudget[];
    expect(told({ budgets })).toEqual([
      [
        "Budget: Routines tagged team: docs",
        "$20.50 of $20.00 are spent this month (UTC): runs that it is for wait.",
        "/budgets",
      ],
    ]);
  });

  it("is a trigger that can't be reached, unless its routine is paused", () => {
    const triggers = [{ status: "unreachable" }, { status: "active" }];
    expect(told({ routines: [routine({ triggers })] })).toEqual([
      ["docs-sync", "1 trigger can’t be reached, and so will not fire.", "routine"],
    ]);
    expect(told({ routines: [routine({ triggers, status: "paused" })] })).toEqual([]);
  });

  it("is what led to no work: one can be fired again, of more their routine tells, and a run is told of once", () => {
    const failed = { run_id: "run_1", error: { message: "The clone failed." } };
    const routines = [routine({ last_run: lastRun({ status: "failed" }) })];
    expect(told({ routines, deadLetters: [letter(failed)] })).toEqual([
      ["docs-sync", "Each day: The clone failed.", "fire-again"],
    ]);
    expect(told({ routines: [routine({})], deadLetters: [letter(failed), letter({ id: "occ_2" })] })).toEqual([
      ["docs-sync", "2 events led to no work. The newest: Each day: The clone failed.", "/dead-letters"],
    ]);
  });

  it("is a time that was missed, beside what led to no work", () => {
    const missed = { outcome: "missed", reason: "slot_missed" };
    const why = "Each day: The time had passed by more than five minutes, and catch_up is none.";
    expect(told({ deadLetters: [letter(missed), letter({ id: "occ_2", routine_id: "rtn_2" })] })).toEqual([
      ["A routine", `Missed: ${why}`, "fire-again"],
      ["A routine", "Each day: As many runs were waiting as a routine may have.", "fire-again"],
    ]);
    expect(
      told({ deadLetters: [letter(missed), letter({ ...missed, id: "occ_2" }), letter({ id: "occ_3" })] }),
    ).toEqual([
      ["A routine", `2 times of its schedule were missed. The newest: ${why}`, "/dead-letters"],
      ["A routine", "Each day: As many runs were waiting as a routine may have.", "fire-again"],
    ]);
  });

  it("is a pool whose runs wait for a runner, a runner that was refused, and a destination that fails", () => {
    const why = { reason: "no_runner", message: "No runner is there.", hint: "Start one." };
    const runners = [{ id: "mac-1", state: "refused", reason: "It is too old.", last_seen_at: AT }];
    const destinations = [
      {
        by: "webhook",
        address: "https://a.example",
        failing_since: AT,
        switched_off_at: AT,
        error: "It answered 500.",
      },
    ] as const;
    expect(told({ pools: [pool({ waiting: 2, why, runners })], destinations })).toEqual([
      ["Pool gpu", "2 runs waiting. No runner is there. Start one.", "/pools"],
      ["Pool gpu", "The runner mac-1 was not taken in. It is too old.", "/pools"],
      ["https://a.example", "Notifications are switched off: none got through. It answered 500.", "/notifications"],
    ]);
  });

  it("is a pool whose runners have all gone, before anything waits for them", () => {
    const gone = { id: "mac-1", state: "lost", reason: null, last_seen_at: AT };
    const here = { ...gone, id: "mac-2", state: "idle" };
    expect(told({ pools: [pool({ runners: [gone, here] })] })).toEqual([]);
    expect(told({ pools: [pool({ runners: [gone] })] })).toEqual([
      ["Pool gpu", "Its runners have gone, mac-1 as the last: what comes for this pool will wait.", "/pools"],
    ]);
  });
});

it("what wakes next is told with the soonest first, and without those that no schedule wakes", () => {
  const at = (id: string, next: string | null) => routine({ id, next_fire_at: next });
  const NEXT = "2026-11-21T10:00:00.000Z";
  const tokyo = { type: "schedule", timezone: "Asia/Tokyo", next_fire_times: [NEXT] };
  const routines = [
    at("rtn_1", "2026-11-22T09:00:00.000Z"),
    at("rtn_2", null),
    routine({ id: "rtn_3", next_fire_at: NEXT, triggers: [{ ...tokyo, next_fire_times: [] }, tokyo] }),
  ];
  expect(upcomingOf(routines).map(({ id, timezone }) => [id, timezone])).toEqual([
    ["rtn_3", "Asia/Tokyo"],
    ["rtn_1", null],
  ]);
});
