/** Writes a note: a new one, or another text for one that there is. */
import { useQuery } from "@tanstack/react-query";
import { type FormEvent, useId, useState } from "react";
import type { ListedNote } from "#protocol/note.ts";
import { asProblem } from "../../problem.ts";
import { Button } from "../../ui/button.tsx";
import { Dialog } from "../../ui/dialog.tsx";
import { ErrorNotice } from "../../ui/error-state.tsx";
import { Field } from "../../ui/field.tsx";
import styles from "../../ui/form.module.css";
import { SkeletonText } from "../../ui/skeleton.tsx";
import { noteQuery, useWriteNote } from "./note-queries.ts";

interface NoteDialogProps {
  routineId: string;
  /** The one that is changed; null for a new one. It stays the one that was opened, whatever is written meanwhile. */
  note: ListedNote | null;
  onClose: () => void;
}

export function NoteDialog({ routineId, note: given, onClose }: NoteDialogProps) {
  const formId = useId();
  const [note] = useState(given);
  const [name, setName] = useState("");
  const [changed, setChanged] = useState<string | null>(null);
  const present = useQuery({
    ...noteQuery(routineId, note ?? { name: "", revision: 0 }),
    enabled: note !== null,
  });
  const text = changed ?? present.data?.text ?? "";
  const isRead = note === null || present.data !== undefined;
  const writing = useWriteNote(routineId);
  const told = (field: string) =>
    writing.isError ? asProblem(writing.error).issues.find((issue) => issue.field === field)?.message : undefined;

  function submit(event: FormEvent) {
    event.preventDefault();
    if (writing.isPending || !isRead) return;
    // The text was read by itself, so its own revision counts.
    const revision = present.data?.revision ?? 0;
    writing.mutate({ name: note?.name ?? name, text, revision }, { onSuccess: onClose });
  }

  return (
    <Dialog
      isOpen
      onOpenChange={onClose}
      title={note === null ? "New note" : `Edit ${note.name}`}
      description="Runs that begin from now on find it so; a run that is on reads it when it asks for it."
      closeLabel="Cancel"
      action={
        <Button variant="primary" type="submit" form={formId} isBusy={writing.isPending}>
          Save note
        </Button>
      }
    >
      <form id={formId} className={styles.stack} onSubmit={submit} noValidate>
        {note === null && (
          <Field label="Name" hint="Letters, digits, dots, dashes and underscores." fault={told("name")}>
            <input
              type="text"
              value={name}
              placeholder="plan.md"
              autoComplete="off"
              spellCheck={false}
              onChange={(event) => setName(event.target.value.trim())}
            />
          </Field>
        )}
        {isRead ? (
          <Field label="Text" fault={told("text")}>
            <textarea rows={12} value={text} onChange={(event) => setChanged(event.target.value)} />
          </Field>
        ) : (
          <SkeletonText />
        )}
      </form>
      {present.isError && <ErrorNotice title="The note could not be loaded." error={present.error} />}
      {writing.isError && <ErrorNotice title="The note was not saved." error={writing.error} />}
    </Dialog>
  );
}
