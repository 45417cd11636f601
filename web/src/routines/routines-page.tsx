/** All routines, and what ran last. */
import { useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { ListedRun } from "#protocol/run.ts";
import { routinesQuery, runsQuery } from "../queries.ts";
import { Page } from "../shell/page.tsx";
import { buttonClass } from "../ui/button.tsx";
import { EmptyState } from "../ui/empty-state.tsx";
import { InboxIcon } from "../ui/icons.tsx";
import { PagedList } from "../ui/paged-list.tsx";
import { NoRoutines } from "./no-routines.tsx";
import { RoutineRow } from "./routine-row.tsx";
import styles from "./routines-page.module.css";
import { RunRow } from "./run-row.tsx";

export function RoutinesPage() {
  const routines = useInfiniteQuery(routinesQuery());
  const runs = useInfiniteQuery(runsQuery());
  const lastRuns = lastRunByRoutine(runs.data?.pages.flatMap((page) => page.data) ?? []);
  return (
    <Page title="Routines">
      <div className={styles.head}>
        <h1 className={styles.title}>Routines</h1>
        <Link to="/routines/new" className={buttonClass("primary")}>
          New routine
        </Link>
      </div>
      <PagedList
        query={routines}
        noun="routines"
        empty={<NoRoutines />}
        row={(routine) => <RoutineRow key={routine.id} routine={routine} lastRun={lastRuns.get(routine.id)} />}
      />
      <section className={styles.section} aria-labelledby="recent-runs">
        <h2 className={styles.heading} id="recent-runs">
          Recent runs
        </h2>
        <PagedList
          query={runs}
          noun="runs"
          empty={
            <EmptyState icon={<InboxIcon size={22} />} title="Nothing has run yet">
              <p>Open a routine and choose “Run now”, or fire it through the API.</p>
            </EmptyState>
          }
          row={(run) => <RunRow key={run.id} run={run} showsRoutine />}
        />
      </section>
    </Page>
  );
}

/** @param runs newest first. */
function lastRunByRoutine(runs: readonly ListedRun[]): Map<string, ListedRun> {
  return new Map(runs.toReversed().map((run) => [run.routine_id, run]));
}
