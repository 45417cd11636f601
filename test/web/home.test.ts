/** What the first page says needs a person, and what wakes next. */
import { describe, expect, it } from "vitest";
import type { DeadLetter } from "#protocol/dead-letter.ts";
import type { Pool } from "#protocol/pool.ts";
import type { ListedRoutine } from "#protocol/routine.ts";
import type { ListedRun } from "#protocol/run.ts";
import { attentionOf, type Troubles } from "#web/src/home/attention.ts";
import { upcomingOf } from "#web/src/home/upcoming.ts";

const AT = "2026-11-21T09:00:00.000Z";
const TIMINGS = { queued_at: AT, starting_at: AT, running_at: AT, first_event_at: AT, finished_at: AT };
const NOTHING: Troubles = { routines: [], waiting: [], deadLetters: [], pools: [], destinations: [] };

/** As much of each as is looked at. */
function routine(given: { [Key in keyof ListedRoutine]?: unknown }): ListedRoutine {
  const whole = { id: "rtn_1", name: "docs-sync", status: "active", paused_reason: null, triggers: [], last_run: null };
  return { ...whole, next_fire_at: null, ...given } as ListedRoutine;
}
const lastRun = (given: object) => ({
  id: "run_1",
  session_id: "session_1",
  result: null,
  summary: null,
  timings: TIMINGS,
  ...given,
});
const waiting = (what: object) =>
  ({
    id: "run_2",
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
    reason: "slot_missed",
    run_id: null,
    error: null,
    ...given,
  }) as DeadLetter;
const pool = (given: object) =>
  ({ name: "gpu", why: null, waiting: 0, waiting_since: null, runners: [], ...given }) as unknown as Pool;

const told = (troubles: Partial<Troubles>) =>
  attentionOf({ ...NOTHING, ...troubles }).map(({ subject, text, remedy }) => [subject, text, remedy.kind]);

describe("what needs a person", () => {
  it("is nothing where nothing is the matter", () => {
    const routines = [routine({}), routine({ last_run: lastRun({ status: "succeeded", result: "done" }) })];
    const pools = [
      pool({}),
      pool({ waiting: 3, why: { reason: "all_busy", message: "All are busy.", hint: "Wait." } }),
    ];
    expect(told({ routines, pools, waiting: [waiting({ for: "message" })] })).toEqual([]);
  });

  it.each([
    [{ for: "question", question: { text: "Which branch?" } }, "Which branch?"],
    [{ for: "approval" }, "Waits for an approval."],
    [{ for: "budget" }, "Waits: its budget is used up."],
  ])("is a run that waits for %o", (what, text) => {
    expect(told({ waiting: [waiting(what)] })).toEqual([["triage", text, "session"]]);
  });

  it.each([
    [{ status: "failed", summary: "The clone failed." }, {}, "Its last run failed. The clone failed."],
    [{ status: "timed_out" }, {}, "Its last run took too long."],
    [
      { status: "failed" },
      { status: "paused", paused_reason: "2 runs failed." },
      "Paused after a failed run. 2 runs failed.",
    ],
    [{ status: "succeeded", result: "blocked", summary: "No access." }, {}, "Its last run was blocked. No access."],
  ])("is a routine whose last run is %o", (run, changed, text) => {
    const routines = [routine({ last_run: lastRun(run), ...changed })];
    expect(told({ routines })).toEqual([["docs-sync", text, "session"]]);
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
      ["docs-sync", "2 events led to no work. The newest: Each day: The clone failed.", "routine"],
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
      ["Pool gpu", "2 runs waiting. No runner is there. Start one.", "told"],
      ["Pool gpu", "The runner mac-1 was not taken in. It is too old.", "told"],
      ["https://a.example", "Notifications are switched off: none got through. It answered 500.", "told"],
    ]);
  });
});

it("what wakes next is told with the soonest first, and without those that no schedule wakes", () => {
  const at = (id: string, next: string | null) => routine({ id, next_fire_at: next });
  const routines = [
    at("rtn_1", "2026-11-22T09:00:00.000Z"),
    at("rtn_2", null),
    at("rtn_3", "2026-11-21T10:00:00.000Z"),
  ];
  expect(upcomingOf(routines).map(({ id }) => id)).toEqual(["rtn_3", "rtn_1"]);
});
