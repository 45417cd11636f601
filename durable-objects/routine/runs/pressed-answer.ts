/** A button of a message was pressed: the run gets the answer, if it is the first. What has become of it is said in words. */
import { markOf } from "#instance/notifications/short-answer-token.ts";
import type { Actor } from "#protocol/actor.ts";
import { API_ERRORS } from "#protocol/api-errors.ts";
import { type Result, refuse, success } from "#protocol/errors.ts";
import type { Tx } from "../work.ts";
import type { Questions } from "./questions.ts";

/** What the message becomes. */
export interface PressOutcome {
  question: string;
  /** For instance `Answered by slack:U1/ann: red`; or why this press was none. */
  outcome: string;
}

/** @param offered what the button offers. @returns refusal `question_unknown` where the run has asked no such thing. */
export function answerOffered(
  tx: Tx,
  questions: Questions,
  runId: string,
  { offered, by }: { offered: { question_id: string; answer: number | boolean }; by: Actor },
): Result<PressOutcome> {
  const input = questions.offered(runId, offered);
  const text = questions.textOf(runId, offered.question_id);
  if (input === null || text === null) return refuse("question_unknown");
  const answered = questions.answer(tx, runId, input, by);
  const said = input.choice ?? (input.approve === true ? "approved" : "refused");
  const outcome = answered.ok
    ? `Answered by ${by.name}: ${said}`
    : (answered.refusal.message ?? API_ERRORS[answered.refusal.code].message);
  return success({ question: text, outcome });
}

/** @returns the question that the mark stands for; null where the run has asked none such. */
export async function questionOfMark(questionIds: readonly string[], mark: string): Promise<string | null> {
  const marks = await Promise.all(questionIds.map(markOf));
  return questionIds[marks.indexOf(mark)] ?? null;
}
