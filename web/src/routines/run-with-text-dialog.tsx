/** Runs a routine with a text for the agent. */
import { type FormEvent, type KeyboardEvent, useId, useState } from "react";
import { Button } from "../ui/button.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { ErrorNotice } from "../ui/error-state.tsx";
import { Field } from "../ui/field.tsx";
import { useRunNow } from "./routine-changes.ts";

/** As the API has it. */
const TEXT_LIMIT = 65_536;

interface RunWithTextDialogProps {
  id: string;
  isOpen: boolean;
  onClose: () => void;
}

export function RunWithTextDialog({ id, isOpen, onClose }: RunWithTextDialogProps) {
  const formId = useId();
  const [text, setText] = useState("");
  const starting = useRunNow(id);

  function submit(event: FormEvent) {
    event.preventDefault();
    if (!starting.isPending) starting.run(text);
  }

  return (
    <Dialog
      isOpen={isOpen}
      onOpenChange={onClose}
      title="Run with text"
      description="The agent gets the saved prompt, and behind it this text, marked as data from outside."
      action={
        <Button variant="primary" type="submit" form={formId} isBusy={starting.isPending}>
          Run
        </Button>
      }
    >
      <form id={formId} onSubmit={submit}>
        <Field label="Text for the agent">
          <textarea
            value={text}
            maxLength={TEXT_LIMIT}
            onChange={(event) => setText(event.target.value)}
            onKeyDown={submitByKey}
          />
        </Field>
      </form>
      {starting.isError && <ErrorNotice title="The run was not started." error={starting.error} />}
    </Dialog>
  );
}

function submitByKey(event: KeyboardEvent<HTMLTextAreaElement>): void {
  if (event.key === "Enter" && (event.metaKey || event.ctrlKey)) event.currentTarget.form?.requestSubmit();
}
