/** Sends what is due, by destination: one that does not answer holds up no other. */
import { logTrouble } from "#protocol/log.ts";
import type { Work } from "../work.ts";
import type { Failure, NotificationRow, Notifications } from "./notifications.ts";

/** So many go to one destination at one time, and so many rows are taken up together. */
const AT_ONCE = 2;
const CLAIMED_AT_ONCE = 200;

/** Makes one try. Never rejects but for faults of this program. */
export type Post = (row: NotificationRow) => Promise<Failure>;

export class SendNotifications {
  readonly #notifications: Notifications;
  readonly #work: Work;
  readonly #post: Post;
  /** Ids that wait for their turn, by destination; and how many of each are under way. */
  readonly #waiting = new Map<string, Set<string>>();
  readonly #underWay = new Map<string, Set<string>>();

  constructor(notifications: Notifications, work: Work, post: Post) {
    this.#notifications = notifications;
    this.#work = work;
    this.#post = post;
  }

  /** Takes up what is due, and returns at once. */
  look(): void {
    const rows = this.#work.change((tx) => this.#notifications.claimDue(tx, CLAIMED_AT_ONCE));
    for (const { id, destination } of rows) {
      if (!idsOf(this.#underWay, destination).has(id)) idsOf(this.#waiting, destination).add(id);
    }
    for (const destination of this.#waiting.keys()) this.#start(destination);
  }

  #start(destination: string): void {
    const waiting = idsOf(this.#waiting, destination);
    const underWay = idsOf(this.#underWay, destination);
    for (const id of waiting) {
      if (underWay.size >= AT_ONCE) return;
      waiting.delete(id);
      underWay.add(id);
      void this.#send(id)
        // The claim lasts on: it is tried again at its end.
        .catch((error) => logTrouble("outbox_failed", { receiver: "a destination of notifications" }, error))
        .finally(() => {
          underWay.delete(id);
          this.#start(destination);
          if (underWay.size === 0) this.#underWay.delete(destination);
        });
    }
    if (waiting.size === 0) this.#waiting.delete(destination);
  }

  async #send(id: string): Promise<void> {
    const row = this.#work.change((tx) => this.#notifications.begin(tx, id));
    if (row === null) return;
    const failure = await this.#post(row);
    this.#work.change((tx) => this.#notifications.tried(tx, row, failure));
  }
}

function idsOf(all: Map<string, Set<string>>, destination: string): Set<string> {
  const known = all.get(destination) ?? new Set<string>();
  all.set(destination, known);
  return known;
}
