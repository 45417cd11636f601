/** Leads from a run that is known by its id alone to its session. */
import { useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { runQuery } from "../queries.ts";
import { Button } from "../ui/button.tsx";
import { useWrite } from "../write.ts";

/** An occurrence knows its run alone; the run knows its session. */
export function OpenSession({ runId, className }: { runId: string; className?: string }) {
  const navigate = useNavigate();
  const queryClient = useQueryClient();
  const opening = useWrite({
    mutationFn: () => queryClient.fetchQuery(runQuery(runId)),
    onSuccess: (run) => navigate({ to: "/sessions/$id", params: { id: run.session_id } }),
  });
  return (
    <Button
      variant="link"
      size="sm"
      {...(className === undefined ? {} : { className })}
      isBusy={opening.isPending}
      onClick={() => opening.mutate()}
    >
      {opening.isError ? "Try again" : "Open session"}
    </Button>
  );
}
