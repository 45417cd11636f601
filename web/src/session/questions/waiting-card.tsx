/** What the run waits for of people, above the field for messages: a question or an approval is answered here, a budget explained. */

import { useQueryClient } from "@tanstack/react-query";
import { lazy, Suspense, useState, useSyncExternalStore } from "react";
import type { ShownQuestion } from "#protocol/question.ts";
import type { Run } from "#protocol/run.ts";
import { answerRun } from "../../client/generated.ts";
import { keepAnswer } from "../../keep-answer.ts";
import { runQuery } from "../../queries.ts";
import { Button } from "../../ui/button.tsx";
import { ErrorNotice } from "../../ui/error-state.tsx";
import { useWrite } from "../../write.ts";
import type { WaitItem } from "../item-types.ts";
import type { LiveSession } from "../live-session.ts";
import type { AnswerFormProps, Said } from "./answer-form-props.ts";
import styles from "./waiting-card.module.css";

const ApprovalForm = lazy(async () => ({ default: (await import("./approval-form.tsx")).ApprovalForm }));
const BudgetCard = lazy(async () => ({ default: (await import("./budget-card.tsx")).BudgetCard }));
const QuestionForm = lazy(async () => ({ default: (await import("./question-form.tsx")).QuestionForm }));

/** @param props.run the session's latest run. */
export function WaitingCard({ live, run }: { live: LiveSession; run: Run | undefined }) {
  const { openWait } = useSyncExternalStore(live.store.subscribe, live.store.view);
  const queries = useQueryClient();
  const answer = useWrite({
    mutationFn: ({ wait, said }: { wait: WaitItem & { question: ShownQuestion }; said: Said }) =>
      answerRun(wait.runId, { ...said, question_id: wait.question.id }),
    onSuccess: async (answered) => {
      await keepAnswer(queries, runQuery(answered.id).queryKey, answered);
      // It needs nobody any more: the mark beside "Home" says so.
      void queries.invalidateQueries({ queryKey: ["home"] });
    },
  });
  const question = openWait?.question ?? null;
  const isCanceling = run !== undefined && run.cancel_requested_at !== null;
  return (
    <>
      {answer.isError && <Refusal error={answer.error} onClose={() => answer.reset()} />}
      <Suspense>
        {openWait !== null && question !== null && !isCanceling && (
          <Form
            key={question.id}
            question={question}
            until={openWait.until}
            isBusy={answer.isPending}
            onAnswer={(said) => answer.mutate({ wait: { ...openWait, question }, said })}
          />
        )}
        {openWait?.what === "budget" && run !== undefined && <BudgetCard run={run} />}
      </Suspense>
    </>
  );
}

function Form(props: AnswerFormProps) {
  return props.question.call === null ? (
    <QuestionForm {...props} />
  ) : (
    <ApprovalForm {...props} call={props.question.call} />
  );
}

/** Stays when the question has gone: somebody else was first, and the answer of who reads this does not count. */
function Refusal({ error, onClose }: { error: unknown; onClose: () => void }) {
  const [isClosed, setClosed] = useState(false);
  if (isClosed) return null;
  return (
    <div className={styles.refusal}>
      <ErrorNotice title="Your answer was not taken." error={error} />
      <Button
        size="sm"
        onClick={() => {
          setClosed(true);
          onClose();
        }}
      >
        Dismiss
      </Button>
    </div>
  );
}
