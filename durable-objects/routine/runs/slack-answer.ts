/** A button in Slack was pressed: the run gets the answer, if it is the first, and the message says what has become of it. */
import type { OfferedAnswer } from "#instance/notifications/answer-token.ts";
import { API_ERRORS } from "#protocol/api-errors.ts";
import { type Result, refuse, success } from "#protocol/errors.ts";
import { answeredBody } from "#rules/run/notification-body.ts";
import type { SlackUpdates } from "../notifications/slack-updates.ts";
import type { Tx } from "../work.ts";
import type { Questions } from "./questions.ts";

export interface PressedButton {
  offered: OfferedAnswer;
  /** As people read who has answered. */
  who: string;
  /** Where Slack takes what the message becomes. */
  responseUrl: string;
}

export function answerFromSlack(
  tx: Tx,
  { questions, slackUpdates }: { questions: Questions; slackUpdates: SlackUpdates },
  runId: string,
  { offered, who, responseUrl }: PressedButton,
): Result<null> {
  const input = questions.offered(runId, offered);
  const text = questions.textOf(runId, offered.question_id);
  if (input === null || text === null) return refuse("question_unknown");
  const answered = questions.answer(tx, runId, input, { kind: "slack", id: null, name: who });
  const said = input.choice ?? (input.approve === true ? "approved" : "refused");
  const outcome = answered.ok
    ? `Answered by ${who}: ${said}`
    : (answered.refusal.message ?? API_ERRORS[answered.refusal.code].message);
  slackUpdates.owe(tx, responseUrl, answeredBody(text, outcome));
  return success(null);
}
