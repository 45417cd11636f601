/** The address of a run: leads to its place in its session's page. */
import { useQuery } from "@tanstack/react-query";
import { Navigate, useParams } from "@tanstack/react-router";
import { asProblem } from "../problem.ts";
import { runQuery } from "../queries.ts";
import { NotFound } from "../shell/not-found.tsx";
import { Page } from "../shell/page.tsx";
import { PagePending } from "../shell/page-pending.tsx";
import { Card } from "../ui/card.tsx";
import { ErrorState } from "../ui/error-state.tsx";

export function RunPage() {
  const { id } = useParams({ from: "/runs/$id" });
  const { data, error, isFetching, refetch } = useQuery(runQuery(id));
  if (data !== undefined) return <Navigate to="/sessions/$id" params={{ id: data.session_id }} hash={id} replace />;
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
