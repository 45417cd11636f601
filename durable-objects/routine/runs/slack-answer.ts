/** A button in Slack was pressed: the run gets the answer, and the message says what has become of it. */
import type { OfferedAnswer } from "#instance/notifications/answer-token.ts";
import { type Result, success } from "#protocol/errors.ts";
import { answeredBody } from "#rules/run/notification-body.ts";
import type { SlackUpdates } from "../notifications/slack-updates.ts";
import type { Tx } from "../work.ts";
import { answerOffered } from "./pressed-answer.ts";
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
  const by = { kind: "slack", id: null, name: who } as const;
  const pressed = answerOffered(tx, questions, runId, { offered, by });
  if (!pressed.ok) return pressed;
  slackUpdates.owe(tx, responseUrl, answeredBody(pressed.value.question, pressed.value.outcome));
  return success(null);
}
