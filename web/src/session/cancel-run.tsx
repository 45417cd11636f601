/** Cancels a run, after making sure. */

import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import type { Run } from "#protocol/run.ts";
import { cancelRun } from "../client/generated.ts";
import { keepAnswer } from "../keep-answer.ts";
import { runQuery } from "../queries.ts";
import { Button } from "../ui/button.tsx";
import { ConfirmDialog, preloadDialogs } from "../ui/dialog.tsx";
import { useWrite } from "../write.ts";
import { StopIcon } from "./icons.tsx";

export function CancelRun({ run }: { run: Run }) {
  const [isAsking, setAsking] = useState(false);
  const queries = useQueryClient();
  const cancel = useWrite({
    mutationFn: () => cancelRun(run.id),
    onSuccess: async (canceled) => {
      await keepAnswer(queries, runQuery(run.id).queryKey, canceled);
      setAsking(false);
    },
  });
  return (
    <>
      <Button
        size="sm"
        icon={<StopIcon />}
        isBusy={run.cancel_requested_at !== null}
        onPointerEnter={preloadDialogs}
        onFocus={preloadDialogs}
        onClick={() => {
          cancel.reset();
          setAsking(true);
        }}
      >
        {run.cancel_requested_at === null ? "Cancel run" : "Canceling…"}
      </Button>
      <ConfirmDialog
        isOpen={isAsking}
        onOpenChange={setAsking}
        title="Cancel this run?"
        description="The agent is stopped where it is. What it has pushed stays pushed; the rest of its work is lost."
        keepLabel="Keep running"
        confirmLabel="Cancel run"
        onConfirm={() => cancel.mutate()}
        isBusy={cancel.isPending}
        error={cancel.error}
      />
    </>
  );
}
