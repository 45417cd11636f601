/** Pauses a routine, with a reason for whoever finds it so. */
import { type FormEvent, useId, useState } from "react";
import type { Routine } from "#protocol/routine.ts";
import { Button } from "../ui/button.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { ErrorNotice } from "../ui/error-state.tsx";
import { Field } from "../ui/field.tsx";
import { usePause } from "./routine-changes.ts";

/** As the API has it. */
const REASON_LIMIT = 500;

interface PauseDialogProps {
  routine: Routine;
  isOpen: boolean;
  onClose: () => void;
}

export function PauseDialog({ routine, isOpen, onClose }: PauseDialogProps) {
  const formId = useId();
  const [reason, setReason] = useState("");
  const pausing = usePause(routine.id);

  function submit(event: FormEvent) {
    event.preventDefault();
    if (pausing.isPending) return;
    pausing.mutate(reason, {
      onSuccess: () => {
        setReason("");
        onClose();
      },
    });
  }

  return (
    <Dialog
      isOpen={isOpen}
      onOpenChange={onClose}
      title={`Pause ${routine.name}?`}
      description="While it is paused, fires are refused. Runs that are on or queued go on."
      action={
        <Button variant="primary" type="submit" form={formId} isBusy={pausing.isPending}>
          Pause
        </Button>
      }
    >
      <form id={formId} onSubmit={submit}>
        <Field label="Reason" hint="Optional. It is shown here until the routine is resumed.">
          <input
            type="text"
            value={reason}
            maxLength={REASON_LIMIT}
            autoComplete="off"
            onChange={(event) => setReason(event.target.value)}
          />
        </Field>
      </form>
      {pausing.isError && <ErrorNotice title="The routine was not paused." error={pausing.error} />}
    </Dialog>
  );
}
