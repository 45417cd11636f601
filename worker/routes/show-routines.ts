/** Routines as they are shown: with what depends on when and where they are read, and what of them can't be meant. */
import { nameOfConnector } from "#protocol/connector.ts";
import { type Result, success } from "#protocol/errors.ts";
import type { Routine } from "#protocol/routine.ts";
import { presentRoutine, watchedRepositories } from "#rules/routine/present-routine.ts";
import { type KnownNames, secretsNamed, warningsOf } from "#rules/routine/warnings.ts";
import { baseUrl, type HttpContext } from "../http/http-env.ts";
import { LISTENERS } from "../inbound/sources/all.ts";
import { GITHUB_CATEGORIES } from "../inbound/sources/github/categories.ts";
import { EVERY_EVENT_FIELDS, namedFieldsOf } from "../inbound/sources/github/field-names.ts";

export async function shown(c: HttpContext, routine: Result<Routine>): Promise<Result<Routine>> {
  if (!routine.ok) return routine;
  const [routineShown] = await presented(c, [routine.value]);
  return success(routineShown ?? routine.value);
}

/** Asks D1 from where GitHub's events can come only where a routine waits for them. */
export async function presented(c: HttpContext, routines: readonly Routine[]): Promise<Routine[]> {
  const watched = routines.map(watchedRepositories);
  const asked = watched.flat();
  const answers = asked.length === 0 ? null : await c.var.deps.githubApp.reachable(asked);
  const at = { nowMs: Date.now(), baseUrl: baseUrl(c) };
  let next = 0;
  const timed = routines.map((routine, number) => {
    const own = (watched[number] ?? []).map(({ place }) => [place, answers?.[next++] ?? null] as const);
    return presentRoutine(routine, { ...at, reachable: answers === null ? null : new Map(own) });
  });
  const known = await knownNames(c, timed);
  return timed.map((routine) => ({ ...routine, warnings: warningsOf(routine, known) }));
}

/** Asks D1 only for what these routines name, and once for all of them. */
async function knownNames(c: HttpContext, routines: readonly Routine[]): Promise<KnownNames> {
  const { namedThings, environments, connectors } = c.var.deps;
  const [found, names, connected] = await Promise.all([
    environments.named(distinct(routines.map(({ environment }) => environment))),
    namedThings.routines(distinct(routines.flatMap(routinesNamed))),
    connectors.named(distinct(routines.flatMap((routine) => routine.connectors.map(nameOfConnector)))),
  ]);
  const wanted = routines.flatMap((routine) => secretsNamed(routine, found.get(routine.environment) ?? null));
  const secrets = await namedThings.secrets(distinct(wanted));
  return { ...VOCABULARY, environments: found, connectors: connected, routines: names, secrets };
}

function routinesNamed({ triggers, context_from }: Routine): string[] {
  const ofTriggers = triggers.flatMap((trigger) => (trigger.type === "routine" ? [trigger.routine] : []));
  return [...ofTriggers, ...context_from.map(({ routine }) => routine).filter((name) => name !== "self")];
}

const VOCABULARY: Omit<KnownNames, "environments" | "connectors" | "routines" | "secrets"> = {
  sourcesWithSecret: new Set(
    Object.entries(LISTENERS).flatMap(([source, { secretFrom }]) => (secretFrom === "nobody" ? [] : [source])),
  ),
  githubEvents: new Map(
    GITHUB_CATEGORIES.map(({ event, actions }) => [
      event,
      { actions, fields: namedFieldsOf(event).map(({ field }) => field) },
    ]),
  ),
  everyEventFields: EVERY_EVENT_FIELDS.map(({ field }) => field),
};

function distinct(names: readonly string[]): string[] {
  return [...new Set(names)];
}
