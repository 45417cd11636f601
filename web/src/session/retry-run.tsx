/** Gives what a run had been given again, and opens the session of the new one. */
import { useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import type { Run } from "#protocol/run.ts";
import { retryRun } from "../client/generated.ts";
import { isPassing } from "../problem.ts";
import { Button } from "../ui/button.tsx";
import { ErrorNotice } from "../ui/error-state.tsx";
import { useWrite } from "../write.ts";

export function RetryRun({ run }: { run: Run }) {
  const navigate = useNavigate();
  const queries = useQueryClient();
  const retrying = useWrite({
    mutationFn: (key: string) => retryRun(run.id, { headers: { "idempotency-key": key } }),
    // What did not get through is repeated: under one key that is one retry.
    retry: (failures, error) => isPassing(error) && failures < 2,
    onSuccess: async ({ session_id }) => {
      void queries.invalidateQueries({ queryKey: ["routine", run.routine_id] });
      void queries.invalidateQueries({ queryKey: ["runs"] });
      await navigate({ to: "/sessions/$id", params: { id: session_id } });
    },
  });
  return (
    <>
      <Button isBusy={retrying.isPending} onClick={() => retrying.mutate(crypto.randomUUID())}>
        {run.status === "succeeded" ? "Run again" : "Retry"}
      </Button>
      {retrying.isError && <ErrorNotice title="The run was not started again." error={retrying.error} />}
    </>
  );
}
