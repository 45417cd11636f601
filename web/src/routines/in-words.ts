/** Pure: what a routine does, a sentence for each trigger and each of its policies. */
import type { Filter } from "#protocol/filters.ts";
import type { Repository } from "#protocol/repository.ts";
import type { Routine } from "#protocol/routine.ts";
import type { ToolPolicy } from "#protocol/tools.ts";
import type { RoutineTrigger, ScheduleTrigger } from "#protocol/triggers.ts";
import { rulesWords } from "../connectors/connector-words.ts";
import { notificationWords } from "../editor/notifications.ts";
import { budgetSentence, overlapSentence, pauseSentence, retrySentence } from "../editor/policies.ts";
import { plural } from "../format/amounts.ts";
import { connectorName } from "../format/connectors.ts";
import { repositoryName } from "../format/repository.ts";
import { SOURCE_TITLES } from "../format/sources.ts";
import { filterWords, routineLine, type ShownTrigger, scheduleWords } from "../format/triggers.ts";

export interface Said {
  /** What it is about, in a word or two. */
  topic: string;
  sentences: string[];
}

/** All that it says is in the definition: nothing of how its runs have gone. */
export function inWords(routine: Routine): Said[] {
  return [
    { topic: "When", sentences: [...whenSentences(routine.triggers), ...gateSentences(routine)] },
    { topic: "Where", sentences: whereSentences(routine) },
    { topic: "Sessions", sentences: sessionSentences(routine) },
    { topic: "At once", sentences: [overlapSentence(routine)] },
    { topic: "Limits", sentences: limitSentences(routine) },
    { topic: "Failures", sentences: [retrySentence(routine.retry), pauseSentence(routine.limits.failures)] },
    { topic: "Connectors", sentences: connectorSentences(routine) },
    { topic: "Tools", sentences: toolSentences(routine.tools) },
    { topic: "Told", sentences: [toldSentence(routine)] },
  ];
}

function whenSentences(triggers: readonly ShownTrigger[]): string[] {
  if (triggers.length === 0)
    return ["Nothing starts it by itself: “Run now” does, and its fire endpoint with a token."];
  return triggers.map((trigger) => `${triggerSentence(trigger)}${endOf(trigger)}`);
}

function gateSentences({ gate }: Routine): string[] {
  if (gate === null) return [];
  const wanted = gate.when === undefined ? "if that is not empty" : `if ${gate.when}`;
  return [`Of what comes by itself it asks ${gate.tool} of ${gate.connector} first, and starts only ${wanted}.`];
}

function triggerSentence(trigger: ShownTrigger): string {
  switch (trigger.type) {
    case "api":
      return "It starts when its fire endpoint is called with its token.";
    case "schedule":
      return `It starts ${atWords(trigger)}, in the time of ${trigger.timezone}.${lateWords(trigger)}`;
    case "github": {
      const actions = trigger.actions === undefined ? "" : ` (${listed(trigger.actions, "or")})`;
      const public_ = trigger.allow_public ? " Strangers may start it." : "";
      const self = trigger.allow_self ? " What it pushes itself starts it, too." : "";
      return `It starts at GitHub's ${trigger.event}${actions} in its repositories${narrowed(trigger)}${public_}${self}`;
    }
    case "webhook": {
      const events = trigger.events === undefined ? "something" : listed(trigger.events, "or");
      const who = trigger.source === "generic" ? "somebody who has its secret" : SOURCE_TITLES[trigger.source];
      return `It starts when ${who} sends ${events}${narrowed(trigger)}`;
    }
    case "routine":
      return `It starts when ${lowered(routineLine(trigger))}${resultWords(trigger)}.`;
    case "event":
      return `It starts when the event ${trigger.name} is sent${narrowed(trigger)}`;
    case "watch":
      return `It looks every ${trigger.every} at what ${trigger.tool ?? trigger.resource} of ${trigger.connector} gives, and starts for each item that is new or has changed.`;
  }
}

function atWords(trigger: ScheduleTrigger): string {
  if (trigger.cron !== undefined) return `at the times of “${trigger.cron}”`;
  if (trigger.at !== undefined) return `once, at ${trigger.at.replace("T", " ")}`;
  const words = scheduleWords(trigger);
  return trigger.every === "monthly" || trigger.every === "weekdays" ? `on ${lowered(words)}` : lowered(words);
}

function endOf({ status }: ShownTrigger): string {
  if (status === "ended") return " That time has passed.";
  return status === "unreachable" ? " As it stands, nothing of that can come." : "";
}

function lateWords({ at, catch_up: catchUp, jitter }: ScheduleTrigger): string {
  const spread = jitter === undefined ? "" : ` It may be up to ${jitter} later.`;
  if (at !== undefined) return spread;
  const late = {
    none: " A time that was missed is not made up for.",
    latest: " Of times that were missed, the newest is made up for.",
    all: " Times that were missed are made up for, the newest 24.",
  }[catchUp];
  return `${spread}${late}`;
}

function resultWords({ result }: RoutineTrigger): string {
  return result === undefined
    ? ""
    : ` with the result ${listed(
        result.map((word) => word.replaceAll("_", " ")),
        "or",
      )}`;
}

interface Narrowing {
  filters: readonly Filter[];
  coalesce?: { key?: string | undefined; window: string } | undefined;
}

function narrowed({ filters, coalesce }: Narrowing): string {
  const where = filters.length === 0 ? "" : `, if ${listed(filters.map(filterWords), "and")}`;
  if (coalesce === undefined) return `${where}.`;
  const of = coalesce.key === undefined ? "" : ` of one ${coalesce.key}`;
  return `${where}. All that come${of} are one run, ${coalesce.window} after the last of them.`;
}

function whereSentences({ repositories, push_prefix: prefix, environment, runs_on: runsOn }: Routine): string[] {
  const pool = runsOn === "default" ? "" : `, on runners of ${runsOn.replace(/^pool:/, "the pool ")}`;
  const place = `in the environment ${environment}${pool}`;
  if (repositories.length === 0) return [`A run works ${place}, without a repository.`];
  const names = repositories.map(
    ({ url, branch }) => `${repositoryName(url)}${branch === undefined ? "" : ` (${branch})`}`,
  );
  const rules = [...Map.groupBy(repositories, ({ push }) => push)];
  return [
    `A run works with ${listed(names, "and")}, ${place}.`,
    ...rules.map(([push, those]) => pushSentence(push, prefix, rules.length === 1 ? null : those)),
  ];
}

function pushSentence(push: Repository["push"], prefix: string, those: readonly Repository[] | null): string {
  const to =
    those === null
      ? ""
      : ` to ${listed(
          those.map(({ url }) => repositoryName(url)),
          "and",
        )}`;
  switch (push) {
    case "prefix":
      return `It may push branches${to} that begin with ${prefix}.`;
    case "any":
      return `It may push any branch${to}.`;
    case "none":
      return `It may push nothing${to}.`;
  }
}

function sessionSentences({ session, session_key: key, context_from: context }: Routine): string[] {
  const whose = context.map(({ routine, last }) =>
    routine === "self" ? `its own last ${runs(last)}` : `the last ${runs(last)} of ${routine}`,
  );
  return [
    session === "new" || key === null
      ? "Each run has a session of its own."
      : `Runs go on in one session as long as ${key} is the same.`,
    ...(whose.length === 0 ? [] : [`A run is told of ${listed(whose, "and")}.`]),
  ];
}

function runs(count: number): string {
  return count === 1 ? "run" : plural(count, "run");
}

function connectorSentences({ connectors }: Routine): string[] {
  if (connectors.length === 0) return ["Its runs use no connector."];
  return connectors.map((given) => {
    const rules = typeof given === "string" ? null : rulesWords(given.tools ?? {});
    const name = connectorName(given);
    return rules === null
      ? `Its runs may use all tools of ${name}.`
      : `Its runs may use some tools of ${name}: ${rules}.`;
  });
}

function toolSentences({ allow, deny, ask }: ToolPolicy): string[] {
  if (allow === undefined && deny.length === 0 && ask.length === 0) return ["Every call of a tool is let through."];
  return [
    ...(allow === undefined
      ? []
      : [allow.length === 0 ? "No tool may be used." : `Only ${listed(allow, "and")} may be used.`]),
    ...(deny.length === 0 ? [] : [`Refused: ${listed(deny, "and")}.`]),
    ...(ask.length === 0 ? [] : [`A person is asked first: ${listed(ask, "and")}.`]),
  ];
}

function limitSentences({ limits }: Routine): string[] {
  return [
    `A run ends after ${limits.timeout} or ${plural(limits.turns, "turn")}.`,
    `People have ${limits.answer} to answer what it asks; its sandbox is kept ${limits.hold} for them.`,
    budgetSentence(limits),
  ];
}

function toldSentence({ notify }: Routine): string {
  const kinds = [...new Set(notify.flatMap(({ on }) => on))];
  if (kinds.length === 0) return "Nobody is told of it beside those whom the instance's own rules name.";
  return `${plural(notify.length, "rule")} of its own, beside the instance's: somebody is told when it ${listed(
    kinds.map((kind) => notificationWords[kind]),
    "or",
  )}.`;
}

function lowered(text: string): string {
  return /^(?:Each|Day|A)\b/.test(text) ? `${text.charAt(0).toLowerCase()}${text.slice(1)}` : text;
}

/** `a`, `a and b`, `a, b and c`. */
function listed(words: readonly string[], link: "and" | "or"): string {
  const last = words.at(-1) ?? "";
  return words.length < 2 ? last : `${words.slice(0, -1).join(", ")} ${link} ${last}`;
}
