/** All routines: how the last run of each went, and when it wakes next. */
import { useInfiniteQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useCallback } from "react";
import { routinesQuery } from "../queries.ts";
import { Page } from "../shell/page.tsx";
import { Button, buttonClass } from "../ui/button.tsx";
import { EmptyState } from "../ui/empty-state.tsx";
import { Choice, Filters, SearchField } from "../ui/filters.tsx";
import { InboxIcon } from "../ui/icons.tsx";
import { PagedList } from "../ui/paged-list.tsx";
import { NoRoutines } from "./no-routines.tsx";
import { parseRoutineFilters, ROUTINE_STATUS_OPTIONS, type RoutineFilters, tagsOf } from "./routine-filters.ts";
import { RoutineRow } from "./routine-row.tsx";
import styles from "./routines-page.module.css";

export function RoutinesPage() {
  const filters = useSearch({ from: "/routines" });
  const navigate = useNavigate({ from: "/routines" });
  const narrow = useCallback(
    (change: { [Key in keyof RoutineFilters]: RoutineFilters[Key] | undefined }) =>
      void navigate({
        search: (before) => parseRoutineFilters({ ...before, ...change }),
        replace: true,
        resetScroll: false,
      }),
    [navigate],
  );
  const search = useCallback((text: string) => narrow({ search: text }), [narrow]);
  const routines = useInfiniteQuery(routinesQuery(filters));
  const all = useInfiniteQuery(routinesQuery({}));
  const isNarrowed = Object.keys(filters).length > 0;
  const tags = tagsOf(all.data?.pages.flatMap((page) => page.data) ?? []);
  const known = filters.tag === undefined || tags.includes(filters.tag) ? tags : [filters.tag, ...tags];
  return (
    <Page title="Routines">
      <div className={styles.head}>
        <h1 className={styles.title}>Routines</h1>
        <Link to="/routines/new" className={buttonClass("primary")}>
          New routine
        </Link>
      </div>
      <Filters label="Narrow the routines">
        <SearchField label="Search in routines" value={filters.search ?? ""} onChange={search} />
        <Choice
          label="Status"
          all="Any status"
          options={ROUTINE_STATUS_OPTIONS}
          value={filters.status}
          onChange={(status) => narrow({ status })}
        />
        {known.length > 0 && (
          <Choice
            label="Tag"
            all="Any tag"
            options={known.map((tag) => ({ value: tag, text: tag.replace(":", ": ") }))}
            value={filters.tag}
            onChange={(tag) => narrow({ tag })}
          />
        )}
        {isNarrowed && (
          <Button variant="ghost" onClick={() => void navigate({ search: {}, replace: true })}>
            Show all
          </Button>
        )}
      </Filters>
      <PagedList
        query={routines}
        noun="routines"
        empty={
          isNarrowed ? (
            <EmptyState icon={<InboxIcon size={22} />} title="No such routine">
              <p>None is like that. Take a filter away, or search for another word.</p>
            </EmptyState>
          ) : (
            <NoRoutines />
          )
        }
        row={(routine) => <RoutineRow key={routine.id} routine={routine} />}
      />
    </Page>
  );
}
