/** For what a routine is refused beyond its schema, all at once: addresses, triggers, and names of what there is not. */

import { DEFAULT_ENVIRONMENT } from "#protocol/environment.ts";
import type { Refusal } from "#protocol/errors.ts";
import { DEFAULT_POOL, poolOf } from "#protocol/pool.ts";
import type { RoutinePatch } from "#protocol/routine.ts";
import type { Trigger } from "#protocol/triggers.ts";
import { unknownEnvironmentRefusal } from "#rules/environment/unknown-environment.ts";
import { repositoriesRefusal } from "#rules/routine/repository-address.ts";
import { asOneRefusal } from "#rules/routine/schema-faults.ts";
import { sessionKeyRefusal } from "#rules/routine/session-key.ts";
import { unknownPoolRefusal } from "#rules/routine/unknown-pool.ts";
import { unknownToolRefusal } from "#rules/routine/unknown-tool.ts";
import { unsentMailRefusal } from "#rules/routine/unsent-mail.ts";
import { prepareTriggers } from "#rules/triggers/prepare-triggers.ts";
import { gateRefusal } from "#rules/wake-gate/gate-refusal.ts";
import { watchRefusal } from "#rules/watch/watch-refusal.ts";
import type { HttpContext } from "../http/http-env.ts";

/** What a trigger is called while it is not saved. */
const UNSAVED_TRIGGER = `trg_${"0".repeat(26)}`;

/**
 * @param before the routine's triggers as they are kept; null leaves triggers to its object, which knows them.
 * @returns null where nothing stands against it.
 */
export async function routineRefusal(
  c: HttpContext,
  routine: RoutinePatch,
  before: readonly Trigger[] | null,
): Promise<Refusal | null> {
  const prepared =
    before === null ? null : prepareTriggers(routine.triggers ?? [], before, () => UNSAVED_TRIGGER, Date.now());
  return asOneRefusal([
    repositoriesRefusal(routine.repositories ?? [], c.var.deps.config.isLocal),
    ...(await namesRefusals(c, routine)),
    unsentMailRefusal("notify", routine.notify ?? [], c.var.deps.lackingForMail),
    prepared === null || prepared.ok ? null : prepared.refusal,
    before === null ? null : watchRefusal(routine.triggers ?? [], routine.connectors ?? []),
    before === null ? null : gateRefusal(routine.gate ?? null, routine.connectors ?? []),
    // Of a change its object knows what is not changed.
    before === null
      ? null
      : sessionKeyRefusal({ session: routine.session ?? "new", session_key: routine.session_key ?? null }),
  ]);
}

/** Asks D1 only where a routine names a pool or an environment that people have made. */
async function namesRefusals(c: HttpContext, routine: RoutinePatch): Promise<(Refusal | null)[]> {
  const { runs_on = DEFAULT_POOL, environment = DEFAULT_ENVIRONMENT, tools } = routine;
  const { pools, environments } = c.var.deps;
  return [
    tools === undefined ? null : unknownToolRefusal(tools),
    poolOf(runs_on) === DEFAULT_POOL ? null : unknownPoolRefusal(runs_on, await pools.names()),
    environment === DEFAULT_ENVIRONMENT ? null : unknownEnvironmentRefusal(environment, await environments.names()),
  ];
}
