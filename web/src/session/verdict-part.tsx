/** What a person thinks of a run that has ended: shown, given, and changed; and what reviewing runs think of it. */

import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import type { Run } from "#protocol/run.ts";
import type { VerdictWord } from "#protocol/verdict.ts";
import { giveVerdict } from "../client/generated.ts";
import { VERDICT_LABELS } from "../format/status.ts";
import { keepAnswer } from "../keep-answer.ts";
import { runQuery } from "../queries.ts";
import { Button } from "../ui/button.tsx";
import { Field } from "../ui/field.tsx";
import { useWrite } from "../write.ts";
import styles from "./details-panel.module.css";
import { Plain } from "./text/plain.tsx";

/** What the API takes, in `protocol/verdict.ts`. */
const WHY_LIMIT = 2_000;
const WORDS = Object.keys(VERDICT_LABELS) as VerdictWord[];

/** @param props.run one that has ended. */
export function VerdictPart({ run }: { run: Run }) {
  const given = "verdict" in run ? run.verdict : undefined;
  const [why, setWhy] = useState(given?.why ?? "");
  const queries = useQueryClient();
  const give = useWrite({
    mutationFn: (verdict: VerdictWord) =>
      giveVerdict(run.id, why.trim() === "" ? { verdict } : { verdict, why: why.trim() }),
    onSuccess: (judged) => keepAnswer(queries, runQuery(run.id).queryKey, judged),
  });
  return (
    <section className={styles.part}>
      <h2 className={styles.heading}>Verdict</h2>
      <div className={styles.verdict}>
        {WORDS.map((word) => (
          <Button
            key={word}
            size="sm"
            variant={given?.verdict === word ? "primary" : "secondary"}
            aria-pressed={given?.verdict === word}
            isBusy={give.isPending && give.variables === word}
            onClick={() => give.mutate(word)}
          >
            {VERDICT_LABELS[word].text}
          </Button>
        ))}
      </div>
      <Field label="Why">
        <textarea rows={2} maxLength={WHY_LIMIT} value={why} onChange={({ target }) => setWhy(target.value)} />
      </Field>
      {given !== undefined && (
        <p className={styles.aside}>
          By {given.actor.name}
          {given.why !== null && (
            <>
              : <Plain text={given.why} />
            </>
          )}
        </p>
      )}
      {("reviews" in run ? (run.reviews ?? []) : []).map(({ by, verdict, why: said }) => (
        <p key={by.id} className={styles.aside}>
          {VERDICT_LABELS[verdict].text}, says the routine <Plain text={by.name} />
          {said !== null && (
            <>
              : <Plain text={said} />
            </>
          )}
        </p>
      ))}
      {give.error !== null && (
        <p className={styles.aside} role="alert">
          {give.error.message}
        </p>
      )}
    </section>
  );
}
