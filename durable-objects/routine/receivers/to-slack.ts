/** Calls to Slack: what messages become whose buttons were pressed. */
import type { SlackUpdates } from "../notifications/slack-updates.ts";
import type { Receiver } from "../outbox/lane.ts";
import type { OwedKind } from "../outbox/outbox.ts";
import type { Work } from "../work.ts";

/** Slack takes it for so long. */
const TAKEN_FOR_MS = 30 * 60_000;
const DEADLINE_MS = 5_000;

export class ToSlack implements Receiver {
  readonly name = "Slack";
  readonly sizes = [1];
  readonly atOnce = 4;
  readonly #updates: SlackUpdates;
  readonly #work: Work;

  constructor(updates: SlackUpdates, work: Work) {
    this.#updates = updates;
    this.#work = work;
  }

  /** @throws while Slack is out of order, for half an hour at most. What it refuses it would refuse again. */
  async deliver(_kind: OwedKind, [id]: readonly string[]): Promise<readonly string[]> {
    const update = id === undefined ? null : this.#updates.get(id);
    if (update === null) return [];
    const { url, body, at } = update;
    if (Date.now() - at < TAKEN_FOR_MS) await post(url, body);
    this.#work.change((tx) => this.#updates.drop(tx, update.id));
    return [];
  }
}

async function post(url: string, body: string): Promise<void> {
  const headers = { "content-type": "application/json" };
  const signal = AbortSignal.timeout(DEADLINE_MS);
  const answer = await fetch(url, { method: "POST", headers, body, redirect: "manual", signal });
  void answer.body?.cancel().catch(() => undefined);
  if (answer.status >= 500 || answer.status === 429) throw new Error(`Slack answers ${answer.status}`);
}
