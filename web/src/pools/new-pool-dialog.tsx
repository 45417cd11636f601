/** Makes a pool, whose token is then shown once. */
import { type FormEvent, useId, useState } from "react";
import { createPool } from "../client/generated.ts";
import { asProblem } from "../problem.ts";
import { Button } from "../ui/button.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { ErrorNotice } from "../ui/error-state.tsx";
import { Field } from "../ui/field.tsx";
import { usePoolCall } from "./pool-queries.ts";
import type { GivenToken } from "./token-dialog.tsx";

interface NewPoolDialogProps {
  isOpen: boolean;
  onClose: () => void;
  onMade: (given: GivenToken) => void;
}

export function NewPoolDialog({ isOpen, onClose, onMade }: NewPoolDialogProps) {
  const formId = useId();
  const [name, setName] = useState("");
  const making = usePoolCall((given: string) => createPool({ name: given }));
  const issues = making.isError ? asProblem(making.error).issues : [];

  function submit(event: FormEvent) {
    event.preventDefault();
    if (making.isPending) return;
    making.mutate(name, {
      onSuccess: ({ token }) => {
        setName("");
        onClose();
        onMade({ pool: name, token, previousUntil: null });
      },
    });
  }

  return (
    <Dialog
      isOpen={isOpen}
      onOpenChange={onClose}
      title="New pool"
      description="Runners come to it with a token of its own, which is shown once it is made."
      closeLabel="Cancel"
      action={
        <Button variant="primary" type="submit" form={formId} isBusy={making.isPending}>
          Make pool
        </Button>
      }
    >
      <form id={formId} onSubmit={submit} noValidate>
        <Field
          label="Name"
          hint="Lower-case letters, digits and dashes; a routine runs on pool: and this name"
          fault={issues.find(({ field }) => field === "name")?.message}
        >
          <input
            type="text"
            value={name}
            placeholder="gpu"
            autoComplete="off"
            spellCheck={false}
            onChange={(event) => setName(event.target.value.trim())}
          />
        </Field>
      </form>
      {making.isError && <ErrorNotice title="The pool was not made." error={making.error} />}
    </Dialog>
  );
}
