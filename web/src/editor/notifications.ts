/** Pure: what people can be told of, as the end of a sentence about a routine. */
import type { NotificationKind } from "#protocol/notification.ts";

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
