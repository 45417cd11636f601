/** Makes a rule, or changes one. */
import { type FormEvent, useId, useState } from "react";
import type { NotificationRule } from "#protocol/notification.ts";
import type * as api from "../client/generated.ts";
import { DestinationFields } from "../editor/destination-fields.tsx";
import { ToldProvider } from "../editor/faults.tsx";
import { notificationKinds, notificationWords } from "../editor/notifications.ts";
import { asProblem } from "../problem.ts";
import { Button } from "../ui/button.tsx";
import { SomeOf } from "../ui/choices.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { ErrorNotice } from "../ui/error-state.tsx";
import styles from "../ui/form.module.css";
import { isRuleGone, useChangeRules } from "./notification-queries.ts";

const KINDS = notificationKinds.map((value) => ({ value, text: notificationWords[value] }));
const NEW_RULE: NotificationRule = { on: ["failed", "missed", "paused"], skip: [], webhook: "" };

interface RuleDialogProps {
  isOpen: boolean;
  onClose: () => void;
  /** Null for a new one. */
  rule: api.NotificationRule | null;
}

export function RuleDialog({ isOpen, onClose, rule }: RuleDialogProps) {
  const formId = useId();
  const [draft, setDraft] = useState<NotificationRule>(rule === null ? NEW_RULE : { ...rule, skip: rule.skip ?? [] });
  const changing = useChangeRules();

  const isGone = isRuleGone(changing.error);

  function submit(event: FormEvent) {
    event.preventDefault();
    if (changing.isPending) return;
    const before = JSON.stringify(rule);
    changing.mutate(
      (rules) => {
        const written = draft as api.NotificationRule;
        if (rule === null || isGone) return [...rules, written];
        const place = rules.findIndex((one) => JSON.stringify(one) === before);
        return place === -1 ? null : rules.with(place, written);
      },
      { onSuccess: onClose },
    );
  }

  // Of whichever rule it is, the fault stands beside this one's fields: no other was touched.
  const faults = changing.isError
    ? asProblem(changing.error).issues.map(({ field, message }) => ({
        field: field.replace(/^rules\[\d+\]\.?/, ""),
        message,
      }))
    : [];
  return (
    <Dialog
      isOpen={isOpen}
      onOpenChange={onClose}
      title={rule === null ? "Add a rule" : "Change the rule"}
      closeLabel="Cancel"
      action={
        <Button variant="primary" type="submit" form={formId} isBusy={changing.isPending}>
          {isGone ? "Save as a new rule" : "Save rule"}
        </Button>
      }
    >
      <ToldProvider value={{ faults, warnings: [] }}>
        <form id={formId} className={styles.stack} onSubmit={submit} noValidate>
          <SomeOf
            legend="When a routine"
            options={KINDS}
            value={draft.on}
            onChange={(on) => setDraft({ ...draft, on })}
          />
          <DestinationFields rule={draft} path="" onChange={setDraft} />
        </form>
      </ToldProvider>
      {changing.isError && <ErrorNotice title="The rule was not saved." error={changing.error} />}
    </Dialog>
  );
}
