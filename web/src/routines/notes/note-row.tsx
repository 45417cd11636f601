/** One note: who has written it, its text when it is wanted, and what can be done with it. */
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useId, useState } from "react";
import type { ListedNote } from "#protocol/note.ts";
import { actorWords } from "../../format/actor.ts";
import { plural } from "../../format/amounts.ts";
import { visibleText } from "../../session/text/visible-text.ts";
import { Button } from "../../ui/button.tsx";
import { ConfirmDialog, preloadDialogs } from "../../ui/dialog.tsx";
import { Entry } from "../../ui/entry.tsx";
import { ErrorNotice } from "../../ui/error-state.tsx";
import { SkeletonText } from "../../ui/skeleton.tsx";
import { Time } from "../../ui/time.tsx";
import { NoteDialog } from "./note-dialog.tsx";
import { noteQuery, useRemoveNote } from "./note-queries.ts";
import styles from "./notes.module.css";

interface NoteRowProps {
  routineId: string;
  note: ListedNote;
}

export function NoteRow({ routineId, note }: NoteRowProps) {
  const [isOpen, setOpen] = useState(false);
  const textId = useId();
  const { name, bytes, revision, author, at } = note;
  return (
    <Entry
      head={
        <button
          type="button"
          className={styles.name}
          aria-expanded={isOpen}
          aria-controls={textId}
          onClick={() => setOpen(!isOpen)}
        >
          <code>{name}</code>
        </button>
      }
      meta={[
        <>
          Written <Time at={at} />{" "}
          {author.kind === "run" ? (
            <>
              by{" "}
              <Link to="/runs/$id" params={{ id: author.id }}>
                a run
              </Link>
            </>
          ) : (
            actorWords(author)
          )}
        </>,
        plural(bytes, "byte"),
        `Revision ${revision}`,
      ]}
      actions={<Actions routineId={routineId} note={note} />}
    >
      <div id={textId} hidden={!isOpen}>
        {isOpen && <Text routineId={routineId} note={note} />}
      </div>
    </Entry>
  );
}

function Text({ routineId, note }: NoteRowProps) {
  const { data, isError, error } = useQuery(noteQuery(routineId, note));
  if (isError) return <ErrorNotice title="The note could not be loaded." error={error} />;
  if (data === undefined) return <SkeletonText />;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what can be scrolled has to be reached by keyboard
    <pre className={styles.text} tabIndex={0}>
      {visibleText(data.text)}
    </pre>
  );
}

function Actions({ routineId, note }: NoteRowProps) {
  const [open, setOpen] = useState<"edit" | "remove" | null>(null);
  const removing = useRemoveNote(routineId);
  const warm = { onPointerEnter: preloadDialogs, onFocus: preloadDialogs };
  const close = () => setOpen(null);
  return (
    <>
      <Button {...warm} size="sm" aria-label={`Edit ${note.name}`} onClick={() => setOpen("edit")}>
        Edit…
      </Button>
      <Button {...warm} size="sm" variant="ghost" aria-label={`Delete ${note.name}`} onClick={() => setOpen("remove")}>
        Delete…
      </Button>
      {open === "edit" && <NoteDialog routineId={routineId} note={note} onClose={close} />}
      <ConfirmDialog
        isOpen={open === "remove"}
        onOpenChange={close}
        title={`Delete ${note.name}?`}
        description="It goes with its earlier revisions, and can't be brought back. The next run does not find it any more."
        keepLabel="Keep"
        confirmLabel="Delete note"
        isBusy={removing.isPending}
        error={removing.isError ? removing.error : undefined}
        onConfirm={() => removing.mutate(note.name, { onSuccess: close })}
      />
    </>
  );
}
