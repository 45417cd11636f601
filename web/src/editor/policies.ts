/** Pure: what a routine's settings mean, each in a sentence, and the line that a closed part of the editor has. */

import { plural } from "../format/amounts.ts";
import { connectorName } from "../format/connectors.ts";
import type { Draft } from "./draft.ts";
import { notificationWords } from "./notifications.ts";

export function overlapSentence({ overlap, max_concurrent }: Pick<Draft, "overlap" | "max_concurrent">): string {
  switch (overlap) {
    case "parallel":
      return `Up to ${plural(max_concurrent, "run")} are on at once; what comes beyond that waits, oldest first.`;
    case "queue":
      return "One run at a time: what comes meanwhile waits, and each gets its turn.";
    case "queue_latest":
      return "One run at a time: only the newest of what comes meanwhile waits, the others are dropped.";
    case "skip":
      return "While a run is on, whatever comes is skipped, and its record says so.";
    case "cancel_running":
      return "Whatever comes cancels the run that is on, and starts when that has stopped.";
  }
}

export function sessionSentence({ session, session_key }: Pick<Draft, "session" | "session_key">): string {
  return session === "new"
    ? "Each run begins a session of its own."
    : `Runs of one key go on with one session: ${session_key ?? ""}`;
}

export function retrySentence({ max, backoff }: Draft["retry"]): string {
  if (max === 0) return "A run that fails is not tried again by itself.";
  return `When the machinery fails before the first model call, it is tried again up to ${plural(max, "time")}, first after ${backoff}, then twice as late each time.`;
}

export function pauseSentence(failures: number): string {
  if (failures === 0) return "However often it fails, it goes on.";
  const after = failures === 1 ? "After a run that failed" : `After ${failures} failures in a row`;
  return `${after} it pauses itself, until somebody resumes it.`;
}

export function budgetSentence({ budget_usd, monthly_budget_usd }: Draft["limits"]): string {
  const run = budget_usd === undefined ? null : `a run waits once it has cost $${budget_usd}`;
  const month =
    monthly_budget_usd === undefined ? null : `nothing starts once a month's runs have cost $${monthly_budget_usd}`;
  const parts = [run, month].filter((part) => part !== null);
  if (parts.length === 0) return "Nothing limits what its model calls cost.";
  const text = parts.join(", and ");
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

export function limitsLine({ limits }: Draft): string {
  const budgets = [limits.budget_usd, limits.monthly_budget_usd].map((usd, place) =>
    usd === undefined ? [] : [`$${usd} ${place === 0 ? "a run" : "a month"}`],
  );
  return [limits.timeout, plural(limits.turns, "turn"), ...budgets.flat()].join(", ");
}

export function toolsLine({ tools }: Draft): string {
  const parts = [
    tools.allow === undefined ? [] : [`only ${plural(tools.allow.length, "rule")} allowed`],
    tools.deny.length === 0 ? [] : [`${tools.deny.length} refused`],
    tools.ask.length === 0 ? [] : [`${tools.ask.length} asked about`],
  ].flat();
  return parts.length === 0 ? "Every call is let through" : parts.join(", ");
}

export function connectorsLine({ connectors }: Draft): string {
  if (connectors.length === 0) return "None";
  const names = connectors.map((given) => `${connectorName(given)}${typeof given === "string" ? "" : " (some tools)"}`);
  return names.join(", ");
}

export function gateLine({ gate }: Draft): string {
  if (gate === undefined) return "None: whatever comes may wake it";
  return `${gate.tool} of ${gate.connector}: ${gate.when ?? "not empty"}`;
}

export function notifyLine({ notify }: Draft): string {
  const kinds = [...new Set(notify.flatMap(({ on }) => on))];
  if (kinds.length === 0) return "Nobody beside the instance's own rules";
  return `When it ${kinds.map((kind) => notificationWords[kind]).join(", ")}`;
}

export function environmentLine({ environment, variables, network, runs_on }: Draft): string {
  const names = Object.keys(variables).length;
  const parts = [
    environment,
    ...(names === 0 ? [] : [plural(names, "variable")]),
    ...(network.allow.length === 0
      ? []
      : [`${network.allow.length} more ${network.allow.length === 1 ? "host" : "hosts"}`]),
    ...(runs_on === "default" ? [] : [runs_on]),
  ];
  return parts.join(", ");
}

export function contextLine({ context_from }: Draft): string {
  if (context_from.length === 0) return "Nothing of earlier runs";
  return context_from
    .map(({ routine, last }) => `the last ${last} of ${routine === "self" ? "its own" : routine}`)
    .join(", ");
}

export function otherLine({ model, tags, push_prefix }: Draft): string {
  const names = Object.keys(tags);
  return [
    model ?? "The instance's model",
    `pushes to ${push_prefix}…`,
    ...(names.length === 0 ? [] : [plural(names.length, "tag")]),
  ].join(", ");
}
