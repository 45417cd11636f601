/**
 * What goes wrong without being anybody's answer, as rows of one table: a line `trouble` in the log for each time, with the row's
 * code, its level, and the ids that it always carries. The most urgent come first. `docs/operations.md` has a heading per row,
 * which says what to do; a test holds the two together.
 */
import { z } from "zod";
import { GITHUB_TROUBLES } from "./github-troubles.ts";
import { runIdSchema } from "./ids.ts";
import { tokensSchema } from "./run.ts";
import { nullable } from "./schema.ts";
import { SESSION_TROUBLES } from "./session-troubles.ts";
import { SPENDING_TROUBLES } from "./spending-troubles.ts";
import {
  attempt,
  call,
  count,
  delivery,
  notification,
  object,
  routine,
  run,
  type TroubleRow,
  text,
} from "./trouble-fields.ts";

export const TROUBLES = {
  misconfigured: {
    level: "error",
    means: "The configuration is wrong, so nothing is done.",
    carries: z.strictObject({ fields: text }),
  },
  storage_not_migrated: {
    level: "error",
    means: "An object's tables can't be brought up to date, so it answers nothing.",
    carries: z.strictObject({ kind: z.enum(["routine", "pool", "roster", "budget"]), migration: text }),
  },
  object_not_opened: {
    level: "error",
    means: "A routine's object can't be opened, so it answers nothing.",
    carries: z.strictObject(object),
  },
  secret_unreadable: {
    level: "error",
    means: "A secret that is kept encrypted can't be decrypted, so it counts as none.",
    carries: z.strictObject({ kind: z.enum(["endpoint-secret", "github-app", "secret"]), id: text }),
  },
  index_unreadable: {
    level: "error",
    means: "D1 does not tell which migrations it has.",
    carries: z.strictObject({}),
  },
  request_failed: {
    level: "error",
    means: "A request met a fault that nothing had foreseen, or a party that was away.",
    carries: z.strictObject({ request_id: text, route: text }),
  },
  sweep_failed: {
    level: "error",
    means: "A part of the minute's sweep has failed.",
    carries: z.strictObject({ part: text }),
  },
  alarm_goes_on_failing: {
    level: "error",
    means: "Something that an object's alarm sees to has failed ten times in a row, or more often.",
    carries: z.strictObject({ ...object, concern: text, failures: count }),
  },
  frames_not_stored: {
    level: "error",
    means: "What a runner told of its run could not be stored.",
    carries: z.strictObject(attempt),
  },
  ...SESSION_TROUBLES,
  run_not_given_up: {
    level: "error",
    means: "A run whose frames can't be stored could not be ended either.",
    carries: z.strictObject(run),
  },
  usage_lost: {
    level: "error",
    means: "What a model call used has been taken in by nobody; its tokens are in this line alone.",
    carries: z.strictObject({ ...call, ...tokensSchema.shape }),
  },
  push_lost: {
    level: "error",
    means: "What a push set could not be told to its run for a day, and is told no more.",
    carries: z.strictObject({ ...attempt, repository: count, branches: count }),
  },
  deliveries_given_up: {
    level: "error",
    means: "Deliveries could not be handled for 23 hours, and are tried no more.",
    carries: z.strictObject({ deliveries: count }),
  },
  delivery_damaged: {
    level: "error",
    means: "A delivery that waited in R2 can't be read, and has been put aside.",
    carries: z.strictObject(delivery),
  },
  run_end_not_told: {
    level: "error",
    means:
      "Routines that wait for a run's end, or for news of a routine, could not be told for most of a day, and are told no more.",
    carries: z.strictObject({ run_id: nullable(runIdSchema) }),
  },
  destination_switched_off: {
    level: "error",
    means:
      "A destination of notifications is there no more, or has failed for five days: nothing is sent there by itself.",
    carries: z.strictObject(notification),
  },
  inbox_stopped: {
    level: "error",
    means: "Handling of deliveries broke off.",
    carries: z.strictObject({}),
  },
  pending_not_taken_in: {
    level: "error",
    means: "Deliveries that wait in R2 could not be listed.",
    carries: z.strictObject({}),
  },
  sign_outs_not_told: {
    level: "error",
    means: "Which objects have to be told of ended sign-ins could not be read or written.",
    carries: z.strictObject({}),
  },
  alarm_failed: {
    level: "error",
    means: "Something that an object's alarm sees to has failed, and is tried again.",
    carries: z.strictObject({ ...object, concern: text, failures: count }),
  },
  deadline_failed: {
    level: "error",
    means: "A run's deadline could not be seen to, and is tried again.",
    carries: z.strictObject({ ...run, deadline: text, failures: count }),
  },
  outbox_failed: {
    level: "error",
    means: "What became of calls that are owed could not be written down.",
    carries: z.strictObject({ receiver: text }),
  },
  follow_up_failed: {
    level: "error",
    means: "What follows a transaction failed; what it wrote stands.",
    carries: z.strictObject({ key: text }),
  },
  offer_failed: {
    level: "error",
    means: "A lease could not be offered.",
    carries: z.strictObject(attempt),
  },
  lease_reports_stopped: {
    level: "error",
    means: "Telling a routine's object of ended leases broke off.",
    carries: z.strictObject(routine),
  },
  container_call_failed: {
    level: "warn",
    means: "A call to a container, or about one, did not go through.",
    carries: z.strictObject({ ...attempt, call: text }),
  },
  warm_container_failed: {
    level: "warn",
    means: "A container that waits for a run failed, or a call to it or about it did not go through.",
    carries: z.strictObject({ container: text, call: text }),
  },
  pool_silent: {
    level: "warn",
    means: "A pool's object did not say how it is, so people are shown that it is not known.",
    carries: z.strictObject({ pool: text }),
  },
  schedule_unattended: {
    level: "warn",
    means: "Nobody came for a due schedule in time: its routine fired by its own alarm.",
    carries: z.strictObject(routine),
  },
  schedules_not_looked_at: {
    level: "warn",
    means: "A routine that is due could not be looked at.",
    carries: z.strictObject(routine),
  },
  owed_call_failed: {
    level: "warn",
    means: "A call that is owed did not go through.",
    carries: z.strictObject({ receiver: text, call: text, ref: text, calls: count }),
  },
  lease_end_not_told: {
    level: "warn",
    means: "A routine's object could not be told that a lease has ended.",
    carries: z.strictObject({ ...attempt, ...routine }),
  },
  event_not_taken: {
    level: "warn",
    means: "A routine's object did not take in events that it may wait for.",
    carries: z.strictObject({ ...routine, events: count }),
  },
  delivery_not_handled: {
    level: "warn",
    means: "A delivery could not be handled.",
    carries: z.strictObject(delivery),
  },
  delivery_kept_in_bucket: {
    level: "warn",
    means: "D1 did not take a delivery, so R2 keeps it.",
    carries: z.strictObject(delivery),
  },
  delivery_still_in_bucket: {
    level: "warn",
    means: "D1 still does not take a delivery that waits in R2.",
    carries: z.strictObject(delivery),
  },
  body_unavailable: {
    level: "warn",
    means: "A delivery's body could not be read from R2.",
    carries: z.strictObject(delivery),
  },
  refusals_not_counted: {
    level: "warn",
    means: "How many requests were not believed could not be written down.",
    carries: z.strictObject({}),
  },
  repositories_not_told: {
    level: "warn",
    means: "A routine could not be told which repository has a name.",
    carries: z.strictObject(routine),
  },
  environment_not_told: {
    level: "warn",
    means: "What an attempt needs could not be read in time for its runner, so the attempt has ended.",
    carries: z.strictObject(attempt),
  },
  ...SPENDING_TROUBLES,
  ...GITHUB_TROUBLES,
  push_refused_unnoted: {
    level: "warn",
    means: "A push could not be noted in D1, so it was refused before it left.",
    carries: z.strictObject(run),
  },
  push_note_kept: {
    level: "warn",
    means: "What was noted of a push could not be taken back or changed.",
    carries: z.strictObject(run),
  },
  push_not_told: {
    level: "warn",
    means: "A run's object could not be told what a push set.",
    carries: z.strictObject(attempt),
  },
  notice_not_told: {
    level: "warn",
    means: "A notice of a proxy could not be written into its run's transcript.",
    carries: z.strictObject({ ...attempt, notice: text }),
  },
  sign_out_not_told: {
    level: "warn",
    means: "An object could not be told of an ended sign-in.",
    carries: z.strictObject({ id: text }),
  },
  gate_silent: {
    level: "warn",
    means: "The instance's counter of requests did not answer.",
    carries: z.strictObject({}),
  },
  roster_silent: {
    level: "warn",
    means: "The roster did not answer where the objects live.",
    carries: z.strictObject({}),
  },
  secrets_not_encrypted_anew: {
    level: "warn",
    means: "A routine's object did not answer while secrets were encrypted with the present key.",
    carries: z.strictObject(routine),
  },
  secrets_not_asked: {
    level: "warn",
    means: "D1 did not tell or take what a run needs of its secrets.",
    carries: z.strictObject({}),
  },
  index_not_rebuilt: {
    level: "warn",
    means: "A routine's object did not answer while the index was made again.",
    carries: z.strictObject(routine),
  },
  not_exported: {
    level: "warn",
    means: "A routine's object did not give what an export asked of it.",
    carries: z.strictObject(routine),
  },
  row_unreadable: {
    level: "warn",
    means: "A row of D1 can't be read, and is left out of lists.",
    carries: z.strictObject({ id: text }),
  },
  runs_not_asked: {
    level: "warn",
    means: "A routine's object did not tell of its runs or decisions: they are shown as D1 has them.",
    carries: z.strictObject(routine),
  },
} as const satisfies Record<string, TroubleRow>;

export type TroubleCode = keyof typeof TROUBLES;
export type TroubleFields<Code extends TroubleCode> = z.infer<(typeof TROUBLES)[Code]["carries"]>;
