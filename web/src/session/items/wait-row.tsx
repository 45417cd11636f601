/** What the run waits for: a line; of a question a card, with its answer as soon as there is one. */
import { lazy, Suspense } from "react";
import { WAITING_TEXTS } from "../../format/status.ts";
import { QuestionIcon } from "../icons.tsx";
import type { AnswerItem, WaitItem } from "../item-types.ts";
import { answerWords } from "../questions/question-words.ts";
import { Plain } from "../text/plain.tsx";
import { visibleText } from "../text/visible-text.ts";
import { StepRow } from "./small-rows.tsx";
import styles from "./wait-row.module.css";

const ToolInputView = lazy(async () => ({ default: (await import("./tool-input-view.tsx")).ToolInputView }));

export function WaitRow({ item }: { item: WaitItem }) {
  const { what, question, answer, isOpen } = item;
  // While it is open, all of it stands where it is answered, below the transcript.
  if (question === null || isOpen) return <StepRow message={WAITING_TEXTS[what]} />;
  return (
    <div className={styles.card}>
      <p className={styles.title}>
        <QuestionIcon />
        {question.call === null ? "The agent asks" : "The agent asks for an approval"}
      </p>
      <p className={styles.text}>{visibleText(question.text)}</p>
      <Suspense>
        {question.call !== null && <ToolInputView foldKey={item.key} input={question.call.input} isExact />}
      </Suspense>
      {question.choices.length > 0 && (
        <ul className={styles.choices} aria-label="Choices">
          {question.choices.map((choice) => (
            <li key={choice} data-chosen={answer?.choice === choice}>
              <Plain text={choice} />
            </li>
          ))}
        </ul>
      )}
      <p className={styles.answer}>{answer === null ? "Nobody has answered" : visibleText(answerWords(answer))}</p>
    </div>
  );
}

export function AnswerRow({ item: { answer } }: { item: AnswerItem }) {
  return <StepRow message={answerWords(answer)} />;
}
