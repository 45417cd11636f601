/** One try at a notification, and what D1 is told of its destination. */

import type { Config } from "#instance/config.ts";
import { noteFailure, noteSuccess, readNotificationPlan } from "#instance/d1/notifications.ts";
import { withinDeadline } from "#instance/in-time.ts";
import type { MailBinding } from "#instance/notifications/cloudflare-mailer.ts";
import { mailerOf } from "#instance/notifications/mailer.ts";
import type { PostFailure } from "#instance/notifications/post-failure.ts";
import { postNotification } from "#instance/notifications/post-notification.ts";
import type { SecretsOfRuns } from "#instance/secrets/secrets-of-runs.ts";
import { logTrouble } from "#protocol/log.ts";
import type { Destination, NotificationRule } from "#protocol/notification.ts";
import { isDestinationOf } from "#rules/run/notify.ts";
import type { Failure } from "./notifications.ts";
import type { Post } from "./send-notifications.ts";

const NOTE_DEADLINE_MS = 4_000;
const NO_RULE = "No rule names this address any more.";

/** @param own the routine's rules as they are now. */
export function notificationPost(
  index: D1Database,
  config: Config,
  mailBinding: MailBinding | undefined,
  secrets: SecretsOfRuns,
  own: () => readonly NotificationRule[],
): Post {
  const ask = (url: string, init: RequestInit) => fetch(url, init);
  const mailer = mailerOf(config, mailBinding, ask);
  const ports = { config, secrets, fetch: ask, mailer, now: () => Date.now() };
  return async ({ id, doc, body }) => {
    const { routine_id: routineId, destination } = doc;
    if (doc.tries > 0 && !(await isAskedFor(destination))) return { error: NO_RULE, isOff: false, isOver: true };
    const failure = await postNotification(ports, { id, routineId, destination, body, sentBefore: doc.sent_at });
    // That this routine may not use the secret of an address, say, tells nothing of those that others send there.
    if (failure?.isUnsent) return again(failure, false);
    const noted = failure === null ? noteSuccess(index, destination) : offAt({ ...failure, nowMs: Date.now() });
    const isOff = await withinDeadline(noted, NOTE_DEADLINE_MS, "the index").catch((error) => {
      // The next try notes it.
      logTrouble("owed_call_failed", { receiver: "the index", call: "notify", ref: id, calls: 1 }, error);
      return false;
    });
    if (failure === null) return null;
    return again(failure, isOff === true);

    async function offAt(noted: { error: string; isGone: boolean; nowMs: number }): Promise<boolean> {
      const since = await noteFailure(index, destination, noted);
      if (since === noted.nowMs) logTrouble("destination_switched_off", { notification_id: id }, noted.error);
      return since !== null;
    }
  };

  /** Rules may have changed since it was tried first. Where those for all routines can't be read it is tried. */
  async function isAskedFor(destination: Destination): Promise<boolean> {
    if (isDestinationOf(own(), destination)) return true;
    const plan = await withinDeadline(readNotificationPlan(index), NOTE_DEADLINE_MS, "the index").catch(() => null);
    return plan === null || isDestinationOf(plan.rules, destination);
  }
}

function again({ error, afterMs }: NonNullable<PostFailure>, isOff: boolean): Failure {
  return { error, isOff, ...(afterMs === undefined ? {} : { afterMs }) };
}
