/** Gives a session another title. */
import { type FormEvent, useId, useState } from "react";
import type { Session } from "#protocol/session.ts";
import { asProblem } from "../../problem.ts";
import { Button } from "../../ui/button.tsx";
import { Dialog } from "../../ui/dialog.tsx";
import { Field } from "../../ui/field.tsx";
import { useChangeSession } from "./session-changes.ts";

/** As the API has it. */
const TITLE_LIMIT = 200;

interface RenameDialogProps {
  session: Session;
  isOpen: boolean;
  onClose: () => void;
}

export function RenameDialog({ session, isOpen, onClose }: RenameDialogProps) {
  const formId = useId();
  const [title, setTitle] = useState(session.title);
  const renaming = useChangeSession(session.id);

  function submit(event: FormEvent) {
    event.preventDefault();
    if (!renaming.isPending && title.trim() !== "") renaming.mutate({ title }, { onSuccess: onClose });
  }

  return (
    <Dialog
      isOpen={isOpen}
      onOpenChange={onClose}
      title="Rename this session"
      action={
        <Button
          variant="primary"
          type="submit"
          form={formId}
          disabled={title.trim() === ""}
          isBusy={renaming.isPending}
        >
          Rename
        </Button>
      }
    >
      <form id={formId} onSubmit={submit}>
        <Field
          label="Title"
          hint="Runs no longer change it once a person has written it."
          fault={renaming.isError ? asProblem(renaming.error).message : undefined}
        >
          <input
            type="text"
            value={title}
            maxLength={TITLE_LIMIT}
            autoComplete="off"
            onChange={({ target }) => setTitle(target.value)}
          />
        </Field>
      </form>
    </Dialog>
  );
}
