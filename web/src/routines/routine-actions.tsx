/** The buttons of a routine's page, and why one of them did not do what it is for. */
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import type { Routine } from "#protocol/routine.ts";
import { Button, buttonClass } from "../ui/button.tsx";
import { preloadDialogs } from "../ui/dialog.tsx";
import { ErrorNotice } from "../ui/error-state.tsx";
import { PlayIcon } from "../ui/icons.tsx";
import { PauseDialog } from "./pause-dialog.tsx";
import styles from "./routine-actions.module.css";
import { useResume, useRunNow } from "./routine-changes.ts";
import { RunWithTextDialog } from "./run-with-text-dialog.tsx";

export function RoutineActions({ routine }: { routine: Routine }) {
  const [dialog, setDialog] = useState<"pause" | "text" | null>(null);
  const starting = useRunNow(routine.id);
  const resuming = useResume(routine.id);
  const isPaused = routine.status === "paused";
  const close = () => setDialog(null);
  const opens = { onPointerEnter: preloadDialogs, onFocus: preloadDialogs };
  return (
    <>
      <div className={styles.actions}>
        {/* One button for both, so that the focus stays where it is. */}
        <Button
          {...opens}
          variant={isPaused ? "secondary" : "ghost"}
          isBusy={resuming.isPending}
          onClick={() => (isPaused ? resuming.mutate() : setDialog("pause"))}
        >
          {isPaused ? "Resume" : "Pause…"}
        </Button>
        <Link to="/routines/$id/edit" params={{ id: routine.id }} className={buttonClass("secondary")}>
          Edit
        </Link>
        <Button {...opens} onClick={() => setDialog("text")}>
          Run with text…
        </Button>
        <Button
          variant="primary"
          icon={<PlayIcon size={13} />}
          isBusy={starting.isPending}
          onClick={() => starting.run("")}
        >
          Run now
        </Button>
      </div>
      {starting.isError && (
        <div className={styles.problem}>
          <ErrorNotice title="The run was not started." error={starting.error} />
        </div>
      )}
      {resuming.isError && (
        <div className={styles.problem}>
          <ErrorNotice title="The routine was not resumed." error={resuming.error} />
        </div>
      )}
      <PauseDialog routine={routine} isOpen={dialog === "pause"} onClose={close} />
      <RunWithTextDialog id={routine.id} isOpen={dialog === "text"} onClose={close} />
    </>
  );
}
