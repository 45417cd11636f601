/** The first page: what needs a person, what runs now, what runs next, and what came of the last runs. */
import { type UseQueryResult, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import type { ListedRun } from "#protocol/run.ts";
import { NoRoutines } from "../routines/no-routines.tsx";
import { RunRow } from "../routines/run-row.tsx";
import { Page } from "../shell/page.tsx";
import { buttonClass } from "../ui/button.tsx";
import { Card, List } from "../ui/card.tsx";
import { ErrorNotice, ErrorState } from "../ui/error-state.tsx";
import { SkeletonRows } from "../ui/skeleton.tsx";
import { pausedByPeople } from "./attention.ts";
import { Attentions } from "./attentions.tsx";
import { FirstRun } from "./first-run.tsx";
import styles from "./home.module.css";
import { activeRunsQuery, homeRoutinesQuery, lastResultsQuery } from "./home-queries.ts";
import { PausedList } from "./paused-list.tsx";
import { UpcomingList } from "./upcoming-list.tsx";

export function HomePage() {
  const routines = useQuery(homeRoutinesQuery);
  const active = useQuery(activeRunsQuery);
  const ended = useQuery(lastResultsQuery);
  return (
    <Page title="Home">
      <div className={styles.head}>
        <h1 className={styles.title}>Home</h1>
        <Link to="/routines/new" className={buttonClass("secondary")}>
          New routine
        </Link>
      </div>
      {routines.data === undefined && (
        <Card>
          {routines.isError ? (
            <ErrorState
              title="The routines could not be loaded"
              error={routines.error}
              onRetry={() => routines.refetch()}
              isRetrying={routines.isFetching}
            />
          ) : (
            <SkeletonRows label="Loading routines" />
          )}
        </Card>
      )}
      {routines.data !== undefined && routines.isError && (
        <ErrorNotice title="This may be out of date." error={routines.error} />
      )}
      {routines.data?.length === 0 && (
        <Card>
          <NoRoutines isMain />
        </Card>
      )}
      {routines.data !== undefined && routines.data.length > 0 && (
        <div className={styles.sections}>
          {routines.data.every(({ last_run: run }) => run === null) && <FirstRun routines={routines.data} />}
          <Attentions routines={routines.data} />
          <div className={styles.columns}>
            <Runs id="now" title="Running now" query={active} none="Nothing runs at the moment." />
            <div className={styles.column}>
              <Section id="next" title="Next by schedule">
                <UpcomingList routines={routines.data} />
              </Section>
              {pausedByPeople(routines.data).length > 0 && (
                <Section id="paused" title="Paused">
                  <PausedList routines={pausedByPeople(routines.data)} />
                </Section>
              )}
            </div>
          </div>
          <Runs
            id="last"
            title="Last results"
            aside={<Link to="/runs">All runs</Link>}
            query={ended}
            none="No run has ended yet."
          />
        </div>
      )}
    </Page>
  );
}

interface RunsProps {
  id: string;
  title: string;
  aside?: ReactNode;
  query: UseQueryResult<ListedRun[]>;
  none: string;
}

function Runs({ id, title, aside, query, none }: RunsProps) {
  const { data: runs, isError, error, refetch, isFetching } = query;
  return (
    <Section id={id} title={title} aside={aside}>
      {runs === undefined && (
        <Card>
          {isError ? (
            <ErrorState title="They could not be loaded" error={error} onRetry={refetch} isRetrying={isFetching} />
          ) : (
            <SkeletonRows label={`Loading: ${title}`} rows={2} />
          )}
        </Card>
      )}
      {runs?.length === 0 && <p className={styles.none}>{none}</p>}
      {runs !== undefined && runs.length > 0 && (
        <List label={title}>
          {runs.map((run) => (
            <RunRow key={run.id} run={run} showsRoutine />
          ))}
        </List>
      )}
    </Section>
  );
}

interface SectionProps {
  id: string;
  title: string;
  aside?: ReactNode;
  children: ReactNode;
}

function Section({ id, title, aside, children }: SectionProps) {
  return (
    <section className={styles.section} aria-labelledby={id}>
      <div className={styles.bar}>
        <h2 id={id} className={styles.heading}>
          {title}
        </h2>
        {aside}
      </div>
      {children}
    </section>
  );
}
