/** One routine: how it stands, its runs, what came to it, and what it says. */
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useNavigate, useParams, useSearch } from "@tanstack/react-router";
import type { Routine } from "#protocol/routine.ts";
import { asProblem } from "../problem.ts";
import { routineQuery, routineRunsQuery } from "../queries.ts";
import { NotFound } from "../shell/not-found.tsx";
import { Page } from "../shell/page.tsx";
import { Card } from "../ui/card.tsx";
import { EmptyState } from "../ui/empty-state.tsx";
import { ErrorState } from "../ui/error-state.tsx";
import { InboxIcon } from "../ui/icons.tsx";
import { PagedList } from "../ui/paged-list.tsx";
import { SkeletonRows, SkeletonText } from "../ui/skeleton.tsx";
import { Tabs } from "../ui/tabs.tsx";
import { Activity } from "./activity.tsx";
import { Definition } from "./definition.tsx";
import { Figures } from "./figures/figures.tsx";
import { Notes } from "./notes/notes.tsx";
import { RoutineHead } from "./routine-head.tsx";
import styles from "./routine-page.module.css";
import { parseRoutineTab } from "./routine-tab.ts";
import { RunRow } from "./run-row.tsx";

export function RoutinePage() {
  const { id } = useParams({ from: "/routines/$id" });
  const { data: routine, error, isFetching, refetch } = useQuery(routineQuery(id));
  if (routine !== undefined) return <RoutineView routine={routine} />;
  if (error === null) return <RoutineSkeleton />;
  if (asProblem(error).status === 404) return <NotFound what="routine" />;
  return (
    <Page title="Routine">
      <h1 className="visually-hidden">Routine</h1>
      <Card>
        <ErrorState
          title="The routine could not be loaded"
          error={error}
          onRetry={() => refetch()}
          isRetrying={isFetching}
        />
      </Card>
    </Page>
  );
}

function RoutineView({ routine }: { routine: Routine }) {
  const { tab = "runs" } = useSearch({ from: "/routines/$id" });
  const navigate = useNavigate({ from: "/routines/$id" });
  return (
    <Page title={routine.name}>
      <RoutineHead routine={routine} />
      <Tabs
        label="Of this routine"
        value={tab}
        onChange={(next) => navigate({ search: parseRoutineTab(next), replace: true, resetScroll: false })}
        tabs={[
          { value: "runs", title: "Runs", panel: <Runs id={routine.id} isPaused={routine.status === "paused"} /> },
          { value: "activity", title: "Activity", panel: <Activity id={routine.id} /> },
          { value: "notes", title: "Notes", panel: <Notes id={routine.id} /> },
          { value: "definition", title: "Definition", panel: <Definition routine={routine} /> },
        ]}
      />
    </Page>
  );
}

function Runs({ id, isPaused }: { id: string; isPaused: boolean }) {
  const runs = useInfiniteQuery(routineRunsQuery(id));
  const hasNone = runs.data?.pages[0]?.data.length === 0;
  return (
    <>
      {!hasNone && <Figures id={id} />}
      <PagedList
        query={runs}
        noun="runs"
        empty={
          <EmptyState icon={<InboxIcon size={22} />} title="It has not run yet">
            <p>
              {isPaused
                ? "“Run now” starts it; its triggers do once it is resumed."
                : "“Run now” starts it, as do its triggers; a program starts it through the fire endpoint with the routine’s token."}
            </p>
          </EmptyState>
        }
        row={(run) => <RunRow key={run.id} run={run} />}
      />
    </>
  );
}

function RoutineSkeleton() {
  return (
    <Page title="Routine">
      <h1 className="visually-hidden">Routine</h1>
      <div className={styles.skeleton}>
        <SkeletonText size="xl" />
        <Card className={styles.skeletonFacts}>
          <SkeletonText />
        </Card>
        <Card>
          <SkeletonRows label="Loading the routine" />
        </Card>
      </div>
    </Page>
  );
}
