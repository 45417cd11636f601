/** A session's page: finds the session, and shows it or says why not. */
import { useQuery } from "@tanstack/react-query";
import { useParams, useSearch } from "@tanstack/react-router";
import { asProblem, isPassing } from "../problem.ts";
import { sessionQuery } from "../queries.ts";
import { NotFound } from "../shell/not-found.tsx";
import { Page } from "../shell/page.tsx";
import { Card } from "../ui/card.tsx";
import { ErrorState } from "../ui/error-state.tsx";
import { SkeletonRows, SkeletonText } from "../ui/skeleton.tsx";
import { SessionView } from "./session-view.tsx";

/** A page that could not be loaded tries again by itself. */
const RETRY_MS = 5_000;

export function SessionPage() {
  const { id } = useParams({ from: "/sessions/$id" });
  const { view = "transcript" } = useSearch({ from: "/sessions/$id" });
  const { data, error, isFetching, isFetchedAfterMount, refetch } = useQuery({
    ...sessionQuery(id),
    // Where the transcript ended at an earlier visit is no place to begin: all that came since would be loaded at once.
    staleTime: 0,
    refetchInterval: ({ state }) => (state.data === undefined && isPassing(state.error) ? RETRY_MS : false),
  });
  if (data !== undefined && isFetchedAfterMount) return <SessionView key={id} session={data} view={view} />;
  if (error === null || !isFetchedAfterMount) return <SessionSkeleton />;
  if (asProblem(error).status === 404) return <NotFound what="session" />;
  return (
    <Page title="Session">
      <h1 className="visually-hidden">Session</h1>
      <Card>
        <ErrorState
          title="The session could not be loaded"
          error={error}
          onRetry={() => refetch()}
          isRetrying={isFetching}
        />
      </Card>
    </Page>
  );
}

function SessionSkeleton() {
  return (
    <Page title="Session">
      <h1 className="visually-hidden">Session</h1>
      <SkeletonText size="xl" />
      <SkeletonText />
      <Card>
        <SkeletonRows label="Loading the session" rows={6} />
      </Card>
    </Page>
  );
}
