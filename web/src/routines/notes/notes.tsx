/** The notes that the runs of a routine share: its memory, which people can read and put right. */
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Button } from "../../ui/button.tsx";
import { Card, List } from "../../ui/card.tsx";
import { preloadDialogs } from "../../ui/dialog.tsx";
import { EmptyState } from "../../ui/empty-state.tsx";
import { ErrorNotice, ErrorState } from "../../ui/error-state.tsx";
import { SkeletonRows } from "../../ui/skeleton.tsx";
import { NoteDialog } from "./note-dialog.tsx";
import { notesQuery } from "./note-queries.ts";
import { NoteRow } from "./note-row.tsx";
import styles from "./notes.module.css";

export function Notes({ id }: { id: string }) {
  const { data: notes, isError, error, refetch, isFetching } = useQuery(notesQuery(id));
  const [isMaking, setMaking] = useState(false);
  return (
    <>
      <div className={styles.bar}>
        <p className={styles.lead}>What its runs have written down for the ones that follow.</p>
        <Button onPointerEnter={preloadDialogs} onFocus={preloadDialogs} onClick={() => setMaking(true)}>
          New note
        </Button>
      </div>
      {notes !== undefined && isError && <ErrorNotice title="This may be out of date." error={error} />}
      {notes === undefined && (
        <Card>
          {isError ? (
            <ErrorState title="The notes could not be loaded" error={error} onRetry={refetch} isRetrying={isFetching} />
          ) : (
            <SkeletonRows label="Loading notes" rows={2} />
          )}
        </Card>
      )}
      {notes?.length === 0 && (
        <Card>
          <EmptyState title="No notes yet">
            <p>An agent that keeps a note finds it in its next run. You can write one, too: each run may read it.</p>
          </EmptyState>
        </Card>
      )}
      {notes !== undefined && notes.length > 0 && (
        <List label="notes">
          {notes.map((note) => (
            <NoteRow key={note.name} routineId={id} note={note} />
          ))}
        </List>
      )}
      {isMaking && <NoteDialog routineId={id} note={null} onClose={() => setMaking(false)} />}
    </>
  );
}
