/** What of a trigger can't be meant, or can't come: pure. Fields are those within the trigger. */
import type { Routine } from "#protocol/routine.ts";
import type { GithubTrigger, ScheduleTrigger } from "#protocol/triggers.ts";
import type { Warning } from "#protocol/warning.ts";
import { nearestKey } from "../routine/nearest-key.ts";
import { hasStarredDays } from "../schedules/cron-fields.ts";
import { nextSlots } from "../schedules/schedule.ts";
import { GITHUB_EVENTS, PAYLOAD_KEYS } from "./github-names.ts";

export interface TriggerNames {
  /** Ids and names of routines, of those that are asked about. */
  routines: ReadonlySet<string>;
  /** Sources that sign with a secret: all but those whose keys are public. */
  sourcesWithSecret: ReadonlySet<string>;
  /** What is known of GitHub's events: actions, and fields that filters may name. */
  githubEvents: ReadonlyMap<string, GithubVocabulary>;
  /** Of events of which no more is known. */
  everyEventFields: readonly string[];
}

export interface GithubVocabulary {
  actions: readonly string[];
  fields: readonly string[];
}

type ShownTrigger = Routine["triggers"][number];
type GithubShown = Extract<ShownTrigger, { type: "github" }>;

export function triggerWarnings(trigger: ShownTrigger, hasRepository: boolean, known: TriggerNames): Warning[] {
  switch (trigger.type) {
    case "schedule":
      return [...zoneWarnings(trigger), ...starredDaysWarnings(trigger), ...endlessWarnings(trigger)];
    case "github":
      return [...githubWarnings(trigger, known), ...reachWarnings(trigger, hasRepository)];
    case "routine":
      return known.routines.has(trigger.routine) ? [] : [noRoutine("routine", trigger.routine)];
    case "webhook": {
      const needsSecret = known.sourcesWithSecret.has(trigger.source) && trigger.endpoint?.has_secret !== true;
      return needsSecret ? [noEndpointSecret(trigger.source)] : [];
    }
    case "api":
    case "event":
    case "watch":
      return [];
  }
}

export function noRoutine(field: string, name: string): Warning {
  const message = `there is no routine "${name}"`;
  const hint = "It is looked for by its name or id whenever this is needed: make one of that name, or name another.";
  return { code: "unknown_routine", field, message, hint };
}

function endlessWarnings(trigger: ScheduleTrigger & { status: ShownTrigger["status"] }): Warning[] {
  // One that was for a single time is done, which is no fault.
  if (trigger.status !== "ended" || trigger.at !== undefined) return [];
  const message = "this schedule has no time to come";
  return [{ code: "never_fires", field: trigger.cron === undefined ? "every" : "cron", message }];
}

function starredDaysWarnings({ cron }: ScheduleTrigger): Warning[] {
  if (cron === undefined || !hasStarredDays(cron)) return [];
  const [, , daysOfMonth, months, daysOfWeek] = cron.trim().split(/\s+/);
  const daily = { cron: `0 0 ${daysOfMonth} ${months} ${daysOfWeek}`, timezone: "UTC" };
  // Any year shows how often: the one that this was written for.
  const days = nextSlots(daily, Date.UTC(2027, 0, 1) - 1, 366).filter((slot) => slot < Date.UTC(2028, 0, 1)).length;
  const message = `either day field is enough: this fires on about ${days} days of a year, where other crons want both of them`;
  const hint = 'For the first Sunday of a month write "sun#1" as the day of week, and "*" as the day of month.';
  return [{ code: "ambiguous_days", field: "cron", message, hint }];
}

/** Places have a slash; of the rest only UTC and its names mean one thing to everybody. */
function zoneWarnings({ timezone }: ScheduleTrigger): Warning[] {
  const warn = (message: string, hint: string): Warning[] => [
    { code: "ambiguous_zone", field: "timezone", message, hint },
  ];
  const offset = /^Etc\/GMT([+-])([0-9]{1,2})$/i.exec(timezone);
  if (offset !== null && offset[2] !== "0") {
    const meant = `UTC${offset[1] === "+" ? "-" : "+"}${offset[2]}`;
    return warn(
      `"${timezone}" is ${meant}: its sign is the other way round`,
      'Name a place, for example "Europe/Paris".',
    );
  }
  if (timezone.includes("/") || /^(?:UTC|GMT|Zulu|UCT|Universal|Greenwich)$/i.test(timezone)) return [];
  if (!/^[A-Z]{3,4}(?:[0-9][A-Z]{3})?$/.test(timezone)) return [];
  const message = `"${timezone}" is an abbreviation: it may mean several zones, or one without summer time`;
  return warn(message, 'Name a place, for example "America/New_York".');
}

function githubWarnings(trigger: GithubTrigger, known: TriggerNames): Warning[] {
  const { event, actions = [], filters } = trigger;
  if (!GITHUB_EVENTS.includes(event)) {
    const message = `GitHub has no event "${event}"${meant(event, GITHUB_EVENTS)}`;
    return [{ code: "unknown_event", field: "event", message, hint: "No delivery will be of this event." }];
  }
  const vocabulary = known.githubEvents.get(event);
  return [
    ...actions.flatMap((action, place) => actionWarning(event, action, `actions[${place}]`, vocabulary)),
    ...filters.flatMap(({ field }, place) => fieldWarning(event, field, `filters[${place}].field`, vocabulary, known)),
  ];
}

function actionWarning(
  event: string,
  action: string,
  field: string,
  vocabulary: GithubVocabulary | undefined,
): Warning[] {
  if (vocabulary === undefined || vocabulary.actions.includes(action)) return [];
  const known = vocabulary.actions;
  const message =
    known.length === 0 ? `${event} has no actions` : `${event} has no action "${action}"${meant(action, known)}`;
  const hint = known.length === 0 ? "Leave actions out." : `Known: ${known.join(", ")}.`;
  return [{ code: "unknown_action", field, message, hint }];
}

/** A path with a dot leads into the payload, which GitHub may change: only its beginning is looked at. */
function fieldWarning(
  event: string,
  name: string,
  field: string,
  vocabulary: GithubVocabulary | undefined,
  { everyEventFields }: TriggerNames,
): Warning[] {
  const named = vocabulary?.fields ?? everyEventFields;
  const [first = ""] = name.split(".");
  if (named.includes(name) || PAYLOAD_KEYS.includes(first)) return [];
  // Of an event of which little is known, a key may be one of its own.
  if (vocabulary === undefined && nearestKey(first, [...named, ...PAYLOAD_KEYS]) === null) return [];
  const message = `${event} has no field "${name}"${meant(name, [...named, ...PAYLOAD_KEYS])}`;
  const hint = `Its named fields: ${named.join(", ")}. A dotted path leads into the payload, as in "sender.login".`;
  return [{ code: "unknown_field", field, message, hint }];
}

function reachWarnings(trigger: GithubShown, hasRepository: boolean): Warning[] {
  if (!hasRepository) {
    const message = "it waits for events of the routine's repositories, and the routine has none";
    return [{ code: "needs_repository", field: "", message, hint: "Give the routine a repository on GitHub." }];
  }
  const { unseen_repositories: unseen = [], event } = trigger;
  if (unseen.length === 0) return [];
  const message = `no ${event} can come from ${unseen.join(", ")}`;
  const hint = "The GitHub App was not given it, or is not sent this event: see /setup.";
  return [{ code: "never_fires", field: "", message, hint }];
}

function noEndpointSecret(source: string): Warning {
  const message = `its endpoint has no secret yet, so nothing that ${source} sends is believed`;
  const hint = "POST /api/v1/routines/{id}/triggers/{trigger_id}/secret gives it one.";
  return { code: "needs_secret", field: "", message, hint };
}

function meant(given: string, known: readonly string[]): string {
  const nearest = nearestKey(given, known);
  return nearest === null ? "" : `; did you mean "${nearest}"?`;
}
