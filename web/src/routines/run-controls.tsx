/** Runs a routine by hand: at once, or with a text for the agent. Both lead to the session. */
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { type FormEvent, type KeyboardEvent, useId, useState } from "react";
import { runNow } from "../api.ts";
import { asProblem } from "../problem.ts";
import { Button } from "../ui/button.tsx";
import { Dialog, preloadDialogs } from "../ui/dialog.tsx";
import { ErrorNotice } from "../ui/error-state.tsx";
import { Field } from "../ui/field.tsx";
import { PlayIcon } from "../ui/icons.tsx";
import styles from "./run-controls.module.css";

/** As the API counts it. */
const TEXT_LIMIT = 65_536;

export function RunControls({ id }: { id: string }) {
  const [isOpen, setOpen] = useState(false);
  const running = useRunNow(id);
  return (
    <>
      <Button onClick={() => setOpen(true)} onPointerEnter={preloadDialogs} onFocus={preloadDialogs}>
        Run with text…
      </Button>
      <Button
        variant="primary"
        icon={<PlayIcon size={13} />}
        isBusy={running.isPending}
        onClick={() => running.mutate({ text: null, key: crypto.randomUUID() })}
      >
        Run now
      </Button>
      {running.isError && (
        <div className={styles.problem}>
          <ErrorNotice title="The run was not started." error={running.error} />
        </div>
      )}
      <RunWithTextDialog id={id} isOpen={isOpen} onOpenChange={setOpen} />
    </>
  );
}

interface RunWithTextDialogProps {
  id: string;
  isOpen: boolean;
  onOpenChange: (isOpen: boolean) => void;
}

function RunWithTextDialog({ id, isOpen, onOpenChange }: RunWithTextDialogProps) {
  const formId = useId();
  const [text, setText] = useState("");
  const running = useRunNow(id);

  function submit(event: FormEvent) {
    event.preventDefault();
    if (running.isPending) return;
    running.mutate({ text: text === "" ? null : text, key: crypto.randomUUID() });
  }
  function change(open: boolean) {
    if (open) running.reset();
    onOpenChange(open);
  }

  return (
    <Dialog
      isOpen={isOpen}
      onOpenChange={change}
      title="Run with text"
      description="The agent gets the saved prompt, and behind it this text, marked as data from outside."
      action={
        <Button variant="primary" type="submit" form={formId} isBusy={running.isPending}>
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
      {running.isError && <ErrorNotice title="The run was not started." error={running.error} />}
    </Dialog>
  );
}

function submitByKey(event: KeyboardEvent<HTMLTextAreaElement>): void {
  if (event.key === "Enter" && (event.metaKey || event.ctrlKey)) event.currentTarget.form?.requestSubmit();
}

/** Repeats what did not get through: under one key that starts one run. */
function useRunNow(id: string) {
  const navigate = useNavigate();
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: ({ text, key }: { text: string | null; key: string }) => runNow(id, text, key),
    retry: (failures, error) => asProblem(error).status === 0 && failures < 2,
    onSuccess: async ({ session_id }) => {
      void queryClient.invalidateQueries({ queryKey: ["routine", id] });
      void queryClient.invalidateQueries({ queryKey: ["runs"] });
      await navigate({ to: "/sessions/$id", params: { id: session_id } });
    },
  });
}
