/** A question of the agent's: answered with a choice, or in one's own words. */
import { useId, useState } from "react";
import { Button } from "../../ui/button.tsx";
import { QuestionIcon } from "../icons.tsx";
import { Plain } from "../text/plain.tsx";
import { visibleText } from "../text/visible-text.ts";
import type { AnswerFormProps } from "./answer-form-props.ts";
import { Deadline } from "./deadline.tsx";
import styles from "./waiting-card.module.css";

/** What the API takes, in `protocol/question.ts`. */
const TEXT_LIMIT = 20_000;

export function QuestionForm({ question, until, isBusy, onAnswer }: AnswerFormProps) {
  const [text, setText] = useState("");
  const [said, setSaid] = useState<string | null>(null);
  const titleId = useId();
  const answer = (choice: string) => {
    setSaid(choice);
    onAnswer({ choice });
  };
  return (
    <section className={styles.card} aria-labelledby={titleId}>
      <h2 id={titleId} className={styles.title}>
        <QuestionIcon />
        The agent asks
      </h2>
      <p className={styles.text}>{visibleText(question.text)}</p>
      {question.choices.length > 0 && (
        <div className={styles.choices}>
          {question.choices.map((choice) => (
            <Button
              key={choice}
              className={styles.choice}
              isBusy={isBusy && said === choice}
              disabled={isBusy && said !== choice}
              onClick={() => answer(choice)}
            >
              <Plain text={choice} />
            </Button>
          ))}
        </div>
      )}
      <form
        className={styles.own}
        onSubmit={(event) => {
          event.preventDefault();
          if (isBusy || text.trim() === "") return;
          setSaid(null);
          onAnswer({ text: text.trim() });
        }}
      >
        <input
          aria-label="Answer in your own words"
          placeholder={question.choices.length > 0 ? "Or answer in your own words" : "Your answer"}
          className={styles.field}
          maxLength={TEXT_LIMIT}
          value={text}
          onChange={({ target }) => setText(target.value)}
        />
        <Button type="submit" isBusy={isBusy && said === null} disabled={text.trim() === ""}>
          Answer
        </Button>
      </form>
      <Deadline question={question} until={until} />
    </section>
  );
}
