/** A new routine in one's own words: where the instance has a model key, a sentence becomes a draft. */
import { useNavigate } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";
import type { Drafting } from "../../client/generated.ts";
import { formatCost } from "../../format/amounts.ts";
import { Button } from "../../ui/button.tsx";
import { ErrorNotice } from "../../ui/error-state.tsx";
import { Field } from "../../ui/field.tsx";
import styles from "./drafting.module.css";
import { OWN_WORDS, useDraftRoutine } from "./use-drafting.ts";

const TEXT_LENGTH = 4_000;

export function OwnWords({ drafting: { model, max_cost_usd } }: { drafting: Drafting }) {
  const navigate = useNavigate();
  const [text, setText] = useState("");
  const drafting = useDraftRoutine(() => void navigate({ to: "/routines/new", search: { template: OWN_WORDS } }));

  function submit(event: FormEvent) {
    event.preventDefault();
    if (text.trim() !== "") drafting.mutate({ text });
  }

  return (
    <form className={styles.words} onSubmit={submit}>
      <Field
        label="What should it do, and when?"
        hint={`${model} writes a draft, for at most ${formatCost(max_cost_usd ?? 0)}. It is told what you write, and the names of routines, repositories and environments. Nothing is saved.`}
      >
        <textarea
          spellCheck
          maxLength={TEXT_LENGTH}
          value={text}
          placeholder="Each Monday at ten, compare what was merged in acme/app with its documentation, and open a pull request with what is missing."
          onChange={({ target }) => setText(target.value)}
        />
      </Field>
      {drafting.isError && <ErrorNotice title="There is no draft." error={drafting.error} />}
      <div className={styles.actions}>
        <Button type="submit" variant="primary" isBusy={drafting.isPending} disabled={text.trim() === ""}>
          Write a draft
        </Button>
        <span className={styles.state} role="status">
          {drafting.isPending ? "The draft is being written. That can take half a minute." : ""}
        </span>
      </div>
    </form>
  );
}
