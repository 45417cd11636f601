/** A call that the agent wants to make and people decide on: the call as it would be made, and nothing else, is approved. */
import { useId, useState } from "react";
import type { ShownQuestion } from "#protocol/question.ts";
import { Button } from "../../ui/button.tsx";
import { QuestionIcon } from "../icons.tsx";
import { ToolInputView } from "../items/tool-input-view.tsx";
import { Plain } from "../text/plain.tsx";
import type { AnswerFormProps } from "./answer-form-props.ts";
import { Deadline } from "./deadline.tsx";
import styles from "./waiting-card.module.css";

interface ApprovalFormProps extends AnswerFormProps {
  call: NonNullable<ShownQuestion["call"]>;
}

const WHY_LIMIT = 20_000;

export function ApprovalForm({ question, call, until, isBusy, onAnswer }: ApprovalFormProps) {
  const [why, setWhy] = useState("");
  const [said, setSaid] = useState<boolean | null>(null);
  const titleId = useId();
  const answer = (approve: boolean) => {
    setSaid(approve);
    onAnswer(why.trim() === "" ? { approve } : { approve, text: why.trim() });
  };
  return (
    <section className={styles.card} aria-labelledby={titleId}>
      <h2 id={titleId} className={styles.title}>
        <QuestionIcon />
        The agent asks to make this call
      </h2>
      <div className={styles.call}>
        <p className={styles.tool}>
          <code>
            <Plain text={call.tool} />
          </code>
        </p>
        <ToolInputView foldKey={`asked:${question.id}`} input={call.input} isExact />
      </div>
      <div className={styles.own}>
        <input
          aria-label="Why, for the agent"
          placeholder="Why (the agent is told)"
          className={styles.field}
          maxLength={WHY_LIMIT}
          value={why}
          onChange={({ target }) => setWhy(target.value)}
        />
        <Button isBusy={isBusy && said === false} disabled={isBusy && said === true} onClick={() => answer(false)}>
          Deny
        </Button>
        <Button
          variant="primary"
          isBusy={isBusy && said === true}
          disabled={isBusy && said === false}
          onClick={() => answer(true)}
        >
          Approve
        </Button>
      </div>
      <Deadline question={question} until={until} />
    </section>
  );
}
