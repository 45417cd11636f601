/** What messages in Slack become whose buttons were pressed: owed to Slack, as rows. */
import { eq } from "drizzle-orm";
import type { Database } from "../database.ts";
import type { Outbox } from "../outbox/outbox.ts";
import { slackUpdates } from "../schema.ts";
import type { Tx } from "../work.ts";

export class SlackUpdates {
  readonly #database: Database;
  readonly #outbox: Outbox;

  constructor(database: Database, outbox: Outbox) {
    this.#database = database;
    this.#outbox = outbox;
  }

  owe(tx: Tx, url: string, body: string): void {
    const id = crypto.randomUUID();
    tx.database.insert(slackUpdates).values({ id, url, body, at: tx.nowMs }).run();
    this.#outbox.owe(tx, "tell_slack", id);
  }

  get(id: string) {
    return this.#database.select().from(slackUpdates).where(eq(slackUpdates.id, id)).get() ?? null;
  }

  drop(tx: Tx, id: string): void {
    tx.database.delete(slackUpdates).where(eq(slackUpdates.id, id)).run();
  }
}
