/** What runs ask people: kept until it is answered, or its time is over. The first answer counts. */

import { and, desc, eq, isNotNull, isNull, lt, ne, or } from "drizzle-orm";
import type { OfferedAnswer } from "#instance/notifications/answer-token.ts";
import type { Actor } from "#protocol/actor.ts";
import { type Result, refuse, success } from "#protocol/errors.ts";
import type { Answer, AnswerInput, AskedQuestion, GivenAnswer } from "#protocol/question.ts";
import { timestamp } from "#protocol/time.ts";
import { answerFault, answerWhenOver } from "#rules/run/answers.ts";
import { factText } from "#rules/run/notify.ts";
import type { Database } from "../database.ts";
import type { Outbox } from "../outbox/outbox.ts";
import { questions } from "../schema.ts";
import type { RememberedEach, Tx, Work } from "../work.ts";
import type { RunEngine } from "./run-engine.ts";
import type { RunSockets } from "./run-sockets.ts";
import type { RunRow } from "./run-store.ts";

type Row = typeof questions.$inferSelect;

interface Parts {
  database: Database;
  work: Work;
  engine: RunEngine;
  outbox: Outbox;
  sockets: RunSockets;
}

/** Runs of which it is kept in memory at most. */
const RUNS_KEPT = 128;

export class Questions {
  readonly #parts: Parts;
  /** By run, whether it may have a question that has not been taken: each result of a call asks, and most runs have none. */
  readonly #hasOpen: RememberedEach<boolean>;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#hasOpen = parts.work.rememberEach((runId) => this.#isAnyOpen(runId), RUNS_KEPT);
  }

  /** The agent waits for an answer. What it has asked before, in a sandbox that was given up, is the same question. */
  ask(tx: Tx, row: RunRow, question: AskedQuestion, untilMs: number): void {
    const { engine, outbox } = this.#parts;
    const before = this.#find(row.id, question.id);
    if (before === null) {
      tx.database
        .insert(questions)
        .values({ runId: row.id, id: question.id, question, askedAt: tx.nowMs, until: untilMs })
        .run();
      this.#hasOpen.set(tx, row.id, true);
      const detail = [question.text, ...question.choices.map((choice) => `- ${choice}`)].join("\n");
      outbox.owe(
        tx,
        "notify",
        factText({ kinds: ["waiting"], runId: row.id, atMs: tx.nowMs, detail, questionId: question.id }),
      );
    }
    const { kind, input_hash: _hash, ...shown } = question;
    engine.feed(tx, row.id, { type: "waiting", for: kind, untilMs: before?.until ?? untilMs, question: shown });
    // It was answered, and the agent has not heard of it.
    if (before?.answer != null) this.#goOn(tx, row.id, given(before, before.answer));
  }

  /** @returns refusal `question_answered` for every answer but the first. */
  answer(tx: Tx, runId: string, input: AnswerInput, actor: Actor): Result<null> {
    const { question_id, ...said } = input;
    const run = this.#parts.engine.show(runId);
    const row = this.#find(runId, question_id);
    if (run === null) return refuse("not_found");
    if (row === null) return refuse("question_unknown", { field: "question_id" });
    if (row.answer !== null) return refuseSecond(row.answer);
    const isOpen = run.status === "waiting" && run.waiting.question?.id === question_id;
    if (!isOpen || run.cancel_reason !== null) return refuse("question_closed", { field: "question_id" });
    const fault = answerFault(row.question, said);
    if (fault !== null) return fault;
    this.#keep(tx, row, { ...said, by: actor, at: timestamp(tx.nowMs) });
    return success(null);
  }

  /** What a button offers, as an answer in words; null where there is no such question, or choice. */
  offered(runId: string, { question_id, answer }: Pick<OfferedAnswer, "question_id" | "answer">): AnswerInput | null {
    const row = this.#find(runId, question_id);
    if (typeof answer === "boolean") return row === null ? null : { question_id, approve: answer };
    const choice = row?.question.choices[answer];
    return choice === undefined ? null : { question_id, choice };
  }

  /** All that a run has asked. */
  idsOf(runId: string): string[] {
    const asked = this.#parts.database.select({ id: questions.id }).from(questions).where(eq(questions.runId, runId));
    return asked.all().map(({ id }) => id);
  }

  textOf(runId: string, questionId: string): string | null {
    return this.#find(runId, questionId)?.question.text ?? null;
  }

  /** The time of the run's question is over: its default counts, and what nobody has approved is refused. */
  expire(tx: Tx, runId: string): void {
    const run = this.#parts.engine.show(runId);
    const id = run?.status === "waiting" ? (run.waiting.question?.id ?? null) : null;
    const row = id === null ? null : this.#find(runId, id);
    if (row === null || row.answer !== null) return;
    this.#keep(tx, row, { ...answerWhenOver(row.question), by: null, at: timestamp(tx.nowMs) });
  }

  /** The answer of which the run's agent has not heard yet; null where there is none. */
  untaken(runId: string): GivenAnswer | null {
    const row = this.#untaken(runId);
    return row?.answer == null ? null : given(row, row.answer);
  }

  /** The attempt's runner gets the answer with its order. */
  told(tx: Tx, runId: string): void {
    const where = and(eq(questions.runId, runId), isNotNull(questions.answer), isNull(questions.takenAt));
    tx.database.update(questions).set({ toldAt: tx.nowMs }).where(where).run();
  }

  /**
   * Whether there is an answer of which nothing has come: no runner has got it, or it is for a question of this attempt and the
   * agent does nothing with it but read it. A call that was approved may have been made as soon as a runner knew.
   */
  isUnheard({ id, doc }: RunRow): boolean {
    const row = this.#untaken(id);
    if (row?.answer == null) return false;
    return row.toldAt === null || (row.answer.approve !== true && row.askedAt >= beganMs(doc));
  }

  /**
   * The result of a call is in the transcript: its agent has heard the answer, and all that have come before the attempt and
   * stood in its order.
   */
  taken(tx: Tx, { id, doc }: RunRow, callId: string): void {
    if (this.#hasOpen.get(id) === false) return;
    const isHeard = or(eq(questions.id, callId), and(isNotNull(questions.answer), lt(questions.askedAt, beganMs(doc))));
    const where = and(eq(questions.runId, id), isNull(questions.takenAt), isHeard);
    tx.database.update(questions).set({ takenAt: tx.nowMs }).where(where).run();
    this.#hasOpen.forget(id);
  }

  /** The agent waits anew: answers to what it has asked before have been heard. @param now what it asks now. */
  heard(tx: Tx, runId: string, now: string | null): void {
    const isAnother = now === null ? undefined : ne(questions.id, now);
    const where = and(eq(questions.runId, runId), isNotNull(questions.answer), isNull(questions.takenAt), isAnother);
    tx.database.update(questions).set({ takenAt: tx.nowMs }).where(where).run();
  }

  #keep(tx: Tx, row: Row, answer: Answer): void {
    const where = and(eq(questions.runId, row.runId), eq(questions.id, row.id));
    tx.database.update(questions).set({ answer }).where(where).run();
    const run = this.#parts.engine.row(row.runId);
    if (run !== null) this.#parts.engine.append(tx, run, [{ type: "question.answered", question_id: row.id, answer }]);
    this.#goOn(tx, row.runId, given(row, answer));
  }

  /** Tells the runner that keeps the sandbox, if there is one; else another attempt gets it with its order. */
  #goOn(tx: Tx, runId: string, answer: GivenAnswer): void {
    const { engine, work, sockets } = this.#parts;
    engine.feed(tx, runId, { type: "continued" });
    const attempt = engine.row(runId)?.doc.attempt;
    if (attempt === undefined) return;
    const lease = { run_id: runId, generation: attempt };
    if (sockets.isHeard(lease)) this.told(tx, runId);
    work.afterwards(tx, `answer:${runId}`, () => sockets.tell(lease, { type: "answer", ...answer }));
  }

  #isAnyOpen(runId: string): boolean {
    const where = and(eq(questions.runId, runId), isNull(questions.takenAt));
    return this.#parts.database.select({ id: questions.id }).from(questions).where(where).limit(1).get() !== undefined;
  }

  #untaken(runId: string): Row | null {
    const where = and(eq(questions.runId, runId), isNotNull(questions.answer), isNull(questions.takenAt));
    const order = desc(questions.askedAt);
    return this.#parts.database.select().from(questions).where(where).orderBy(order).limit(1).get() ?? null;
  }

  #find(runId: string, id: string): Row | null {
    const where = and(eq(questions.runId, runId), eq(questions.id, id));
    return this.#parts.database.select().from(questions).where(where).get() ?? null;
  }
}

function given({ id, question }: Row, answer: Answer): GivenAnswer {
  return { question_id: id, input_hash: question.input_hash, tool: question.call?.tool ?? null, answer };
}

/** When the run's present attempt began, in Unix milliseconds. */
function beganMs({ timings }: RunRow["doc"]): number {
  return timings.starting_at === null ? Number.POSITIVE_INFINITY : Date.parse(timings.starting_at);
}

function refuseSecond({ by, at, choice, text, approve }: Answer): Result<null> {
  const who = by?.name ?? "Nobody in time: its deadline";
  const what = choice ?? (approve === undefined ? text : approve ? "approved" : "refused");
  const message = `The question has been answered already. By: ${who}, at ${at}${what === undefined ? "" : `: ${what}`}.`;
  return refuse("question_answered", { message, answered_by: by?.name ?? null, answered_at: at });
}
