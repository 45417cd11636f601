/** From facts to notifications: who is told of each, by the routine's rules and those for all routines; and their list in D1. */
import type { Config } from "#instance/config.ts";
import { type NotificationPlan, readNotificationPlan, writeNotifications } from "#instance/d1/notifications.ts";
import { makeAnswerToken } from "#instance/notifications/answer-token.ts";
import { makeShortToken, markOf } from "#instance/notifications/short-answer-token.ts";
import { discordBody, telegramBody } from "#rules/run/chat-bodies.ts";
import { mailBody } from "#rules/run/mail-body.ts";
import { type AnswerButton, slackBody, type Told, webhookBody } from "#rules/run/notification-body.ts";
import { type Chosen, chooseDestinations, destinationKey, type Fact, readFact } from "#rules/run/notify.ts";
import type { DefinitionStore, RoutineRow } from "../definition/definition-store.ts";
import type { Notifications } from "../notifications/notifications.ts";
import type { Receiver } from "../outbox/lane.ts";
import type { OwedKind } from "../outbox/outbox.ts";
import type { RunStore } from "../runs/run-store.ts";
import type { Tx, Work } from "../work.ts";

interface Parts {
  work: Work;
  definitions: DefinitionStore;
  runs: RunStore;
  notifications: Notifications;
  config: Pick<Config, "publicUrl" | "slackSecret" | "signingKeys">;
  /** Sends what is due. */
  send(): void;
}

/** What they stand for is written as the chat takes it. */
interface Buttons {
  slack: AnswerButton[];
  short: AnswerButton[];
}
const NO_BUTTONS: Buttons = { slack: [], short: [] };

const APPROVAL = [
  { label: "Approve", answer: true, style: "primary" },
  { label: "Refuse", answer: false, style: "danger" },
] as const;

export class ToNotifications implements Receiver {
  readonly name = "the rules of notifications";
  /** What a busy routine has to tell is planned with one look at the rules. */
  readonly sizes = [50, 8];
  readonly atOnce = 1;
  readonly #index: D1Database;
  readonly #parts: Parts;

  constructor(index: D1Database, parts: Parts) {
    this.#index = index;
    this.#parts = parts;
  }

  async deliver(_kind: OwedKind, texts: readonly string[]): Promise<readonly string[]> {
    const plan = await readNotificationPlan(this.#index);
    const { work, definitions, send } = this.#parts;
    const routine = definitions.living();
    if (routine === null) return [];
    const facts = await Promise.all(texts.map(async (text) => this.#withButtons(readFact(text))));
    // What has been planned before is there already.
    work.change((tx) => {
      for (const { fact, buttons } of facts) this.#plan(tx, routine, fact, buttons, plan);
    });
    send();
    return [];
  }

  /** Buttons for the answers to what an agent asks, while its run waits for one. */
  async #withButtons(fact: Fact): Promise<{ fact: Fact; buttons: Buttons }> {
    const { runs, config } = this.#parts;
    const run = fact.runId === null ? undefined : runs.get(fact.runId)?.doc;
    if (run?.status !== "waiting") return { fact, buttons: NO_BUTTONS };
    const { question, until, for: kind } = run.waiting;
    if (question === undefined || question.id !== fact.questionId || until === null) {
      return { fact, buttons: NO_BUTTONS };
    }
    const offers = kind === "approval" ? APPROVAL : question.choices.map((label, answer) => ({ label, answer }));
    const [key] = config.signingKeys;
    const of = { run_id: run.id, question_id: question.id, until_ms: Date.parse(until) };
    const mark = await markOf(question.id);
    const made = (token: (answer: number | boolean) => Promise<string>) =>
      Promise.all(offers.map(async ({ answer, ...shown }) => ({ ...shown, value: await token(answer) })));
    const short = await made((answer) => makeShortToken(key, { run_id: run.id, mark, answer }));
    // Presses in Slack can be verified where its signing secret is known; those in other chats come to endpoints of triggers.
    const slack = config.slackSecret === null ? [] : await made((answer) => makeAnswerToken(key, { ...of, answer }));
    return { fact, buttons: { slack, short } };
  }

  #plan(tx: Tx, routine: RoutineRow, fact: Fact, buttons: Buttons, plan: NotificationPlan): void {
    const { runs, notifications, config } = this.#parts;
    const { publicUrl } = config;
    const run = fact.runId === null ? null : (runs.get(fact.runId)?.doc ?? null);
    const { id, definition } = routine;
    const told = { fact, routine: { id, name: definition.name }, run, publicUrl };
    for (const chosen of chooseDestinations([...definition.notify, ...plan.rules], fact, run?.result ?? null)) {
      const isOff = plan.off.has(destinationKey(chosen.destination));
      notifications.add(tx, id, fact, chosen, bodyFor(chosen, told, buttons), isOff);
    }
  }
}

function bodyFor({ kind, destination }: Chosen, told: Omit<Told, "kind">, buttons: Buttons): string {
  switch (destination.by) {
    case "webhook":
      return webhookBody({ ...told, kind });
    case "slack":
      return slackBody({ ...told, kind }, buttons.slack);
    case "telegram":
      return telegramBody({ ...told, kind }, buttons.short);
    case "discord":
      return discordBody({ ...told, kind }, buttons.short);
    case "email":
      return mailBody({ ...told, kind });
  }
}

/** So many go with one write. */
const AT_ONCE = 100;

/** Their list in D1: what has changed of them since the last write. */
export class NotificationsToIndex implements Receiver {
  readonly name = "the index of notifications";
  readonly sizes = [1];
  readonly atOnce = 1;
  readonly #index: D1Database;
  readonly #parts: Pick<Parts, "work" | "definitions" | "notifications">;

  constructor(index: D1Database, parts: Pick<Parts, "work" | "definitions" | "notifications">) {
    this.#index = index;
    this.#parts = parts;
  }

  async deliver(_kind: OwedKind, [routineId]: readonly string[]): Promise<readonly string[]> {
    const { work, definitions, notifications } = this.#parts;
    while (routineId !== undefined && definitions.living() !== null) {
      const { rows, oldest } = notifications.unindexed(AT_ONCE);
      await writeNotifications(this.#index, routineId, rows, oldest);
      work.change((tx) => notifications.indexed(tx, rows));
      if (rows.length < AT_ONCE) break;
    }
    return [];
  }
}
