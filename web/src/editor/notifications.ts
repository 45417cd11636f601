/** Pure: what people can be told of, as the end of a sentence about a routine; and by what. */
import type { Destination, NotificationKind } from "#protocol/notification.ts";

export const notificationWords: Record<NotificationKind, string> = {
  failed: "fails",
  waiting: "waits for an answer",
  budget: "has spent its budget",
  blocked: "is blocked",
  recovered: "has recovered",
  succeeded: "succeeds",
  missed: "misses its time",
  paused: "pauses itself",
  quiet: "goes quiet",
};
export const notificationKinds = Object.keys(notificationWords) as NotificationKind[];

export type By = Destination["by"];

/** What a destination is called wherever one is shown. */
export const destinationWords: Record<By, string> = {
  webhook: "Webhook",
  slack: "Slack",
  telegram: "Telegram",
  discord: "Discord",
  email: "E-mail",
};

/** Whom a rule tells: it has one of them, and a webhook while it is written. */
export function destinationOf(rule: Partial<Record<By, string | undefined>>): Destination {
  const by = (Object.keys(destinationWords) as By[]).find((kind) => rule[kind] !== undefined) ?? "webhook";
  return { by, address: rule[by] ?? "" };
}
