/** Above the fields of a draft: who wrote it, what that cost, and what it asks back. */
import { type FormEvent, useState } from "react";
import { formatCost } from "../../format/amounts.ts";
import { Button } from "../../ui/button.tsx";
import { Card } from "../../ui/card.tsx";
import { ErrorNotice } from "../../ui/error-state.tsx";
import { Field } from "../../ui/field.tsx";
import styles from "./drafting.module.css";
import { type DraftedFrom, useDraftRoutine } from "./use-drafting.ts";

const ANSWER_LENGTH = 1_000;

export function DraftQuestions({ from: { text, drafted } }: { from: DraftedFrom }) {
  const { questions, model, usage } = drafted;
  const [given, setGiven] = useState<Readonly<Record<string, string>>>({});
  const drafting = useDraftRoutine();
  const answers = questions.flatMap((question) => {
    const answer = given[question]?.trim() ?? "";
    return answer === "" ? [] : [{ question, answer }];
  });

  function submit(event: FormEvent) {
    event.preventDefault();
    if (answers.length > 0) drafting.mutate({ text, answers });
  }

  return (
    <Card className={styles.draft} role="group" aria-label="About this draft">
      <p>
        {model} has written this draft. Cost: {formatCost(usage.cost_usd)}. Read it before you save it: nothing is saved
        yet.
      </p>
      {questions.length > 0 && (
        <form className={styles.words} onSubmit={submit}>
          {questions.map((question) => (
            <Field key={question} label={question}>
              <input
                maxLength={ANSWER_LENGTH}
                value={given[question] ?? ""}
                onChange={({ target }) => setGiven({ ...given, [question]: target.value })}
              />
            </Field>
          ))}
          {drafting.isError && <ErrorNotice title="There is no new draft." error={drafting.error} />}
          <div className={styles.actions}>
            <Button type="submit" isBusy={drafting.isPending} disabled={answers.length === 0}>
              Draft again with these answers
            </Button>
            <span className={styles.state} role="status">
              {drafting.isPending ? "The draft is being written." : "What you have changed below is replaced then."}
            </span>
          </div>
        </form>
      )}
    </Card>
  );
}
