/** The address of a run: leads to its place in its session's page. */
import { queryOptions, useQuery, useQueryClient } from "@tanstack/react-query";
import { Navigate, useParams } from "@tanstack/react-router";
import { asProblem } from "../problem.ts";
import { runQuery, sessionQuery } from "../queries.ts";
import { NotFound } from "../shell/not-found.tsx";
import { Page } from "../shell/page.tsx";
import { PagePending } from "../shell/page-pending.tsx";
import { Card } from "../ui/card.tsx";
import { ErrorState } from "../ui/error-state.tsx";
import { readSessionEvents } from "./read-session-events.ts";
import { firstSeqOf } from "./run-place.ts";

/** Where it can't be found, as in a session that was deleted, the session's page says what there is to say. */
function ToItsPlace({ id, sessionId }: { id: string; sessionId: string }) {
  const queryClient = useQueryClient();
  const { data: seq, isError } = useQuery(
    queryOptions({
      queryKey: ["run", id, "place"],
      queryFn: async () => {
        const { runs } = await queryClient.fetchQuery(sessionQuery(sessionId));
        // The only run's place is the whole page.
        return runs.length === 1 ? null : await firstSeqOf(id, readSessionEvents(sessionId));
      },
      retry: false,
    }),
  );
  if (seq === undefined && !isError) return <PagePending />;
  const place = typeof seq === "number" ? { hash: `seq-${seq}` } : {};
  return <Navigate to="/sessions/$id" params={{ id: sessionId }} {...place} replace />;
}

export function RunPage() {
  const { id } = useParams({ from: "/runs/$id" });
  const { data, error, isFetching, refetch } = useQuery(runQuery(id));
  if (data !== undefined) return <ToItsPlace id={id} sessionId={data.session_id} />;
  if (error === null) return <PagePending />;
  if (asProblem(error).status === 404) return <NotFound what="run" />;
  return (
    <Page title="Run">
      <h1 className="visually-hidden">Run</h1>
      <Card>
        <ErrorState
          title="The run could not be loaded"
          error={error}
          onRetry={() => refetch()}
          isRetrying={isFetching}
        />
      </Card>
    </Page>
  );
}
