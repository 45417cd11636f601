/** What the forms need with which questions are answered. */
import type { ShownQuestion } from "#protocol/question.ts";
import type { AnswerInput } from "../../client/generated.ts";

export type Said = Omit<AnswerInput, "question_id">;

export interface AnswerFormProps {
  question: ShownQuestion;
  /** When it waits no longer. */
  until: string | null;
  isBusy: boolean;
  onAnswer: (said: Said) => void;
}
