/** A routine as the beginning of another one, and its end. */
import { useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { type FormEvent, useId, useState } from "react";
import type { Routine } from "#protocol/routine.ts";
import { deleteRoutine } from "../client/generated.ts";
import { plural } from "../format/amounts.ts";
import { Button, buttonClass } from "../ui/button.tsx";
import { Dialog, preloadDialogs } from "../ui/dialog.tsx";
import { ErrorNotice } from "../ui/error-state.tsx";
import { Field } from "../ui/field.tsx";
import { useWrite } from "../write.ts";
import styles from "./revisions.module.css";

export function DefinitionActions({ routine }: { routine: Routine }) {
  const [isDeleting, setDeleting] = useState(false);
  return (
    <div className={styles.actions}>
      <Link to="/routines/new" search={{ from: routine.id }} className={buttonClass("secondary")}>
        Duplicate
      </Link>
      <Button onPointerEnter={preloadDialogs} onFocus={preloadDialogs} onClick={() => setDeleting(true)}>
        Delete…
      </Button>
      <DeleteDialog routine={routine} isOpen={isDeleting} onClose={() => setDeleting(false)} />
    </div>
  );
}

interface DeleteDialogProps {
  routine: Routine;
  isOpen: boolean;
  onClose: () => void;
}

function DeleteDialog({ routine, isOpen, onClose }: DeleteDialogProps) {
  const formId = useId();
  const [typed, setTyped] = useState("");
  const navigate = useNavigate();
  const queryClient = useQueryClient();
  const deleting = useWrite({
    mutationFn: () => deleteRoutine(routine.id),
    onSuccess: async () => {
      await navigate({ to: "/routines" });
      queryClient.removeQueries({ queryKey: ["routine", routine.id] });
      void queryClient.invalidateQueries();
    },
  });
  const isTyped = typed.trim() === routine.name;

  function submit(event: FormEvent) {
    event.preventDefault();
    if (isTyped && !deleting.isPending) deleting.mutate();
  }

  return (
    <Dialog
      isOpen={isOpen}
      onOpenChange={onClose}
      title={`Delete ${routine.name}?`}
      description={lostWords(routine)}
      closeLabel="Keep it"
      action={
        <Button variant="danger" type="submit" form={formId} disabled={!isTyped} isBusy={deleting.isPending}>
          Delete
        </Button>
      }
    >
      <form id={formId} onSubmit={submit}>
        <Field label="Name of the routine" hint={`Type “${routine.name}” to make sure.`}>
          <input type="text" autoComplete="off" value={typed} onChange={({ target }) => setTyped(target.value)} />
        </Field>
      </form>
      {deleting.isError && <ErrorNotice title="It was not deleted." error={deleting.error} />}
    </Dialog>
  );
}

function lostWords({ triggers, has_token }: Routine): string {
  const own = [
    ...(triggers.length === 0 ? [] : [plural(triggers.length, "trigger")]),
    ...(has_token ? ["its token"] : []),
  ];
  const ended =
    own.length === 0
      ? ""
      : ` ${own.join(" and ")} ${own.length === 1 && triggers.length < 2 ? "ends" : "end"} at once.`;
  return `Its runs are canceled, and its runs, sessions, notes and revisions are gone.${ended} What it has pushed stays. This can’t be undone.`;
}
