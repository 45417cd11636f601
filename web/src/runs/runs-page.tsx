/** All runs, the newest first, narrowed by what one looks for. */
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useCallback } from "react";
import { routineQuery, runsQuery } from "../queries.ts";
import { RunRow } from "../routines/run-row.tsx";
import { Page } from "../shell/page.tsx";
import { Button } from "../ui/button.tsx";
import { EmptyState } from "../ui/empty-state.tsx";
import { Choice, Filters, SearchField } from "../ui/filters.tsx";
import { InboxIcon } from "../ui/icons.tsx";
import { PagedList } from "../ui/paged-list.tsx";
import {
  parseRunFilters,
  RESULT_OPTIONS,
  type RunFilters,
  SINCE_OPTIONS,
  STATE_OPTIONS,
  TRIGGER_OPTIONS,
} from "./run-filters.ts";
import styles from "./runs-page.module.css";

export function RunsPage() {
  const filters = useSearch({ from: "/runs" });
  const navigate = useNavigate({ from: "/runs" });
  const narrow = useCallback(
    (change: { [Key in keyof RunFilters]: RunFilters[Key] | undefined }) =>
      void navigate({
        search: (before) => parseRunFilters({ ...before, ...change }),
        replace: true,
        resetScroll: false,
      }),
    [navigate],
  );
  const search = useCallback((text: string) => narrow({ search: text }), [narrow]);
  const runs = useInfiniteQuery(runsQuery(filters));
  const isNarrowed = Object.keys(filters).length > 0;
  return (
    <Page title="Runs">
      <h1 className={styles.title}>Runs</h1>
      <Filters label="Narrow the runs">
        <SearchField label="Search in runs" value={filters.search ?? ""} onChange={search} />
        <Choice
          label="Status"
          all="Any status"
          options={STATE_OPTIONS}
          value={filters.state}
          onChange={(state) => narrow({ state })}
        />
        <Choice
          label="Result"
          all="Any result"
          options={RESULT_OPTIONS}
          value={filters.result}
          onChange={(result) => narrow({ result })}
        />
        <Choice
          label="Trigger"
          all="Any trigger"
          options={TRIGGER_OPTIONS}
          value={filters.trigger}
          onChange={(trigger) => narrow({ trigger })}
        />
        <Choice
          label="When"
          all="Any time"
          options={SINCE_OPTIONS}
          value={filters.since}
          onChange={(since) => narrow({ since })}
        />
        {isNarrowed && (
          <Button variant="ghost" onClick={() => void navigate({ search: {}, replace: true })}>
            Show all
          </Button>
        )}
      </Filters>
      {filters.routine !== undefined && <OfRoutine id={filters.routine} />}
      <PagedList
        query={runs}
        noun="runs"
        empty={
          isNarrowed ? (
            <EmptyState icon={<InboxIcon size={22} />} title="No such run">
              <p>No run is like that. Take a filter away, or search for another word.</p>
            </EmptyState>
          ) : (
            <EmptyState icon={<InboxIcon size={22} />} title="Nothing has run yet">
              <p>
                Open one of <Link to="/routines">your routines</Link> and choose “Run now”.
              </p>
            </EmptyState>
          )
        }
        row={(run) => <RunRow key={run.id} run={run} showsRoutine />}
      />
    </Page>
  );
}

function OfRoutine({ id }: { id: string }) {
  const { data: routine } = useQuery(routineQuery(id));
  return (
    <p className={styles.scope}>
      Runs of{" "}
      <Link to="/routines/$id" params={{ id }}>
        {routine?.name ?? "one routine"}
      </Link>
    </p>
  );
}
