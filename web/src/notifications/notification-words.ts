/** Pure: rules and deliveries of notifications in words. */
import type { NotificationKind, NotificationStatus } from "#protocol/notification.ts";
import type { NotificationRule } from "../client/generated.ts";
import { type By, destinationOf, notificationWords } from "../editor/notifications.ts";
import { type Label, RESULT_LABELS } from "../format/status.ts";

const WHOM: Record<By, string> = {
  webhook: "a webhook is sent",
  slack: "Slack is told",
  telegram: "Telegram is told",
  discord: "Discord is told",
  email: "an e-mail is sent",
};

/** "When a routine fails or pauses itself, Slack is told." */
export function ruleSentence({ on, skip = [], ...to }: NotificationRule): string {
  const whom = WHOM[destinationOf(to).by];
  const except =
    skip.length === 0
      ? ""
      : `, unless its result is ${either(skip.map((result) => RESULT_LABELS[result].text.toLowerCase()))}`;
  return `When a routine ${either(on.map((kind) => notificationWords[kind]))}, ${whom}${except}.`;
}

export const DELIVERY_LABELS: Record<NotificationStatus, Label> = {
  pending: { text: "Waits", tone: "active" },
  sent: { text: "Sent", tone: "success" },
  failed: { text: "Failed", tone: "danger" },
  switched_off: { text: "Not sent: switched off", tone: "warning" },
};

/** After the name of a routine. */
export function kindWords(kind: NotificationKind): string {
  return notificationWords[kind];
}

function either(words: readonly string[]): string {
  return words.length < 2 ? (words[0] ?? "") : `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`;
}
