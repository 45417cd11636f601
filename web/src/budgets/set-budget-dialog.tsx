/** Sets a shared budget: a new one, or another amount for one that there is. */
import { type FormEvent, useId, useState } from "react";
import type { SharedBudget } from "#protocol/shared-budget.ts";
import { asProblem } from "../problem.ts";
import { Button } from "../ui/button.tsx";
import { OneOf } from "../ui/choices.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { ErrorNotice } from "../ui/error-state.tsx";
import { Field } from "../ui/field.tsx";
import styles from "../ui/form.module.css";
import { useSetBudget } from "./budget-queries.ts";
import { type BudgetDraft, budgetTitle, isBudgetInput, readBudgetDraft } from "./budget-words.ts";

const SCOPES = [
  { value: "instance", text: "All routines of this instance" },
  { value: "tag", text: "Routines that have a tag" },
] as const;

interface SetBudgetDialogProps {
  isOpen: boolean;
  onClose: () => void;
  /** The one that is changed; a new one is set without it. */
  budget?: SharedBudget;
}

export function SetBudgetDialog({ isOpen, onClose, budget }: SetBudgetDialogProps) {
  const formId = useId();
  /** As it has been changed here; until then that of the budget that there is. */
  const [changed, setChanged] = useState<BudgetDraft | null>(null);
  const draft = changed ?? draftOf(budget);
  const [isTried, setTried] = useState(false);
  const setting = useSetBudget();
  const read = readBudgetDraft(draft);
  const faults = isTried && !isBudgetInput(read) ? read : {};
  const told = (field: string) =>
    setting.isError ? asProblem(setting.error).issues.find((issue) => issue.field === field)?.message : undefined;
  const put = (change: Partial<BudgetDraft>) => setChanged({ ...draft, ...change });

  function close() {
    setChanged(null);
    setTried(false);
    setting.reset();
    onClose();
  }

  function submit(event: FormEvent) {
    event.preventDefault();
    setTried(true);
    if (setting.isPending || !isBudgetInput(read)) return;
    setting.mutate(read, { onSuccess: close });
  }

  return (
    <Dialog
      isOpen={isOpen}
      onOpenChange={close}
      title={budget === undefined ? "Set a budget" : `Budget: ${budgetTitle(budget)}`}
      description="What they have spent in this month counts. Runs that wait for it go on where it is raised."
      closeLabel="Cancel"
      action={
        <Button variant="primary" type="submit" form={formId} isBusy={setting.isPending}>
          Set budget
        </Button>
      }
    >
      <form id={formId} className={styles.stack} onSubmit={submit} noValidate>
        {budget === undefined && (
          <OneOf legend="For" options={SCOPES} value={draft.scope} onChange={(scope) => put({ scope })} />
        )}
        {budget === undefined && draft.scope === "tag" && (
          <>
            <Field label="Tag" fault={faults.tag ?? told("tag")}>
              <input
                type="text"
                value={draft.tag}
                placeholder="team"
                autoComplete="off"
                spellCheck={false}
                onChange={(event) => put({ tag: event.target.value })}
              />
            </Field>
            <Field label="Its value" fault={faults.value ?? told("value")}>
              <input
                type="text"
                value={draft.value}
                placeholder="docs"
                autoComplete="off"
                spellCheck={false}
                onChange={(event) => put({ value: event.target.value })}
              />
            </Field>
          </>
        )}
        <Field
          label="US dollars a month"
          hint="By list price, as the instance meters each call."
          fault={faults.dollars ?? told("monthly_usd")}
        >
          <input
            type="text"
            inputMode="decimal"
            value={draft.dollars}
            placeholder="200"
            autoComplete="off"
            onChange={(event) => put({ dollars: event.target.value })}
          />
        </Field>
      </form>
      {setting.isError && <ErrorNotice title="The budget was not set." error={setting.error} />}
    </Dialog>
  );
}

function draftOf(budget: SharedBudget | undefined): BudgetDraft {
  if (budget === undefined) return { scope: "instance", tag: "", value: "", dollars: "" };
  const { tag, value } = budget.scope === "tag" ? budget : { tag: "", value: "" };
  return { scope: budget.scope, tag, value, dollars: String(budget.monthly_usd) };
}
