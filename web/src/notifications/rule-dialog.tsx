/** Makes a rule, or changes one. */
import { type FormEvent, useId, useState } from "react";
import type { NotificationRule } from "../client/generated.ts";
import { ToldProvider } from "../editor/faults.tsx";
import { SelectField, TextField } from "../editor/fields.tsx";
import { notificationKinds, notificationWords } from "../editor/notifications.ts";
import { asProblem } from "../problem.ts";
import { Button } from "../ui/button.tsx";
import { SomeOf } from "../ui/choices.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { ErrorNotice } from "../ui/error-state.tsx";
import styles from "../ui/form.module.css";
import { isRuleGone, useChangeRules } from "./notification-queries.ts";

const KINDS = notificationKinds.map((value) => ({ value, text: notificationWords[value] }));
const PLACES = [
  { value: "webhook", text: "Webhook" },
  { value: "slack", text: "Slack" },
] as const;
const NEW_RULE: NotificationRule = { on: ["failed", "missed", "paused"], skip: [], webhook: "" };

interface RuleDialogProps {
  isOpen: boolean;
  onClose: () => void;
  /** Null for a new one. */
  rule: NotificationRule | null;
}

export function RuleDialog({ isOpen, onClose, rule }: RuleDialogProps) {
  const formId = useId();
  const [draft, setDraft] = useState(rule ?? NEW_RULE);
  const changing = useChangeRules();
  const { webhook, slack, ...rest } = draft;

  const isGone = isRuleGone(changing.error);

  function submit(event: FormEvent) {
    event.preventDefault();
    if (changing.isPending) return;
    const before = JSON.stringify(rule);
    changing.mutate(
      (rules) => {
        if (rule === null || isGone) return [...rules, draft];
        const place = rules.findIndex((one) => JSON.stringify(one) === before);
        return place === -1 ? null : rules.with(place, draft);
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
          <SelectField
            label="By"
            path="by"
            value={slack === undefined ? "webhook" : "slack"}
            options={PLACES}
            onChange={(by) => setDraft(by === "slack" ? { ...rest, slack: "{{SLACK_URL}}" } : { ...rest, webhook: "" })}
          />
          {slack === undefined ? (
            <TextField
              label="Address"
              path="webhook"
              hint="Signed webhooks go there. {{NAME}} behind its host stands for a secret."
              placeholder="https://example.com/hook"
              value={webhook ?? ""}
              onChange={(next) => setDraft({ ...rest, webhook: next })}
            />
          ) : (
            <TextField
              label="Secret with Slack’s address"
              path="slack"
              hint="By its name, as {{SLACK_URL}}"
              value={slack}
              onChange={(next) => setDraft({ ...rest, slack: next })}
            />
          )}
        </form>
      </ToldProvider>
      {changing.isError && <ErrorNotice title="The rule was not saved." error={changing.error} />}
    </Dialog>
  );
}
