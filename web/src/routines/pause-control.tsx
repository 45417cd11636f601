/** Pauses a routine, with a reason for whoever finds it so, and resumes it. */
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useId, useState } from "react";
import type { Routine } from "#protocol/routine.ts";
import { pauseRoutine, resumeRoutine } from "../api.ts";
import { routineQuery } from "../queries.ts";
import { Button } from "../ui/button.tsx";
import { Dialog, preloadDialogs } from "../ui/dialog.tsx";
import { ErrorNotice } from "../ui/error-state.tsx";
import { Field } from "../ui/field.tsx";

/** As the API has it. */
const REASON_LIMIT = 500;

export function PauseControl({ routine }: { routine: Routine }) {
  const formId = useId();
  const [isOpen, setOpen] = useState(false);
  const [reason, setReason] = useState("");
  const keep = useKeepRoutine(routine.id);
  const pausing = useMutation({
    mutationFn: () => pauseRoutine(routine.id, reason.trim() === "" ? null : reason.trim()),
    onSuccess: keep,
  });

  function submit(event: FormEvent) {
    event.preventDefault();
    if (!pausing.isPending) pausing.mutate();
  }

  return (
    <>
      <Button variant="ghost" onClick={() => setOpen(true)} onPointerEnter={preloadDialogs} onFocus={preloadDialogs}>
        Pause…
      </Button>
      <Dialog
        isOpen={isOpen}
        onOpenChange={setOpen}
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
    </>
  );
}

export function ResumeButton({ id }: { id: string }) {
  const keep = useKeepRoutine(id);
  const resuming = useMutation({ mutationFn: () => resumeRoutine(id), onSuccess: keep });
  return (
    <>
      <Button isBusy={resuming.isPending} onClick={() => resuming.mutate()}>
        Resume
      </Button>
      {resuming.isError && <ErrorNotice title="The routine was not resumed." error={resuming.error} />}
    </>
  );
}

/** Shows the routine as the answer has it, without asking again. */
function useKeepRoutine(id: string) {
  const queryClient = useQueryClient();
  return (routine: Routine) => {
    queryClient.setQueryData(routineQuery(id).queryKey, routine);
    void queryClient.invalidateQueries({ queryKey: ["routines"] });
  };
}
