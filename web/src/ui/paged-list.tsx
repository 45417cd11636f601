/** A list that is read page by page: loading, failed, empty, shown, and "Load more". */
import type { InfiniteData, UseInfiniteQueryResult } from "@tanstack/react-query";
import { lazy, type ReactNode, Suspense, useLayoutEffect, useRef } from "react";
import type { Page } from "#protocol/api.ts";
import { Button } from "./button.tsx";
import { Card, List } from "./card.tsx";
import { ErrorNotice, ErrorState } from "./error-state.tsx";
import styles from "./paged-list.module.css";
import { SkeletonRows } from "./skeleton.tsx";

/** With more rows than these the page holds those alone that are near to be seen. */
const MOST_ROWS = 100;

const LongList = lazy(async () => ({ default: (await import("./long-list.tsx")).LongList }));

interface PagedListProps<Item> {
  query: UseInfiniteQueryResult<InfiniteData<Page<Item>>>;
  /** What the items are: "runs". */
  noun: string;
  /** In the place of a list without items. */
  empty: ReactNode;
  row: (item: Item) => ReactNode;
}

export function PagedList<Item>({ query, noun, empty, row }: PagedListProps<Item>) {
  if (query.data === undefined) {
    return (
      <Card>
        {query.isError ? (
          <ErrorState
            title={`The ${noun} could not be loaded`}
            error={query.error}
            onRetry={() => query.refetch()}
            isRetrying={query.isFetching}
          />
        ) : (
          <SkeletonRows label={`Loading ${noun}`} />
        )}
      </Card>
    );
  }
  const items = query.data.pages.flatMap((page) => page.data);
  return (
    <div className={styles.list}>
      {query.isError && <ErrorNotice title={failureTitle(query.isFetchNextPageError, noun)} error={query.error} />}
      {items.length > 0 && <Rows label={noun} items={items} row={row} hasMore={query.hasNextPage} />}
      {items.length === 0 &&
        (query.hasNextPage ? (
          <p className={styles.soFar}>None so far: there are older {noun} to look through.</p>
        ) : (
          <Card>{empty}</Card>
        ))}
      {query.hasNextPage && (
        <div className={styles.more}>
          <Button isBusy={query.isFetchingNextPage} onClick={() => query.fetchNextPage()}>
            Load more
          </Button>
        </div>
      )}
    </div>
  );
}

interface RowsProps<Item> {
  label: string;
  items: readonly Item[];
  row: (item: Item) => ReactNode;
  hasMore: boolean;
}

/** The rows alone: of a list that is there as a whole, or as far as it is loaded. */
export function Rows<Item>({ label, items, row, hasMore }: RowsProps<Item>) {
  const frame = useRef<HTMLDivElement>(null);
  const rowHeight = useRef(64);
  const isLong = items.length > MOST_ROWS;
  useLayoutEffect(() => {
    // As high together as they are now: where the reader is stays when the list becomes a long one.
    if (!isLong && frame.current !== null) rowHeight.current = frame.current.offsetHeight / items.length;
  }, [isLong, items.length]);
  const few = <List label={label}>{items.slice(0, MOST_ROWS).map(row)}</List>;
  if (!isLong) return <div ref={frame}>{few}</div>;
  return (
    <Suspense fallback={<div>{few}</div>}>
      <LongList
        label={label}
        length={items.length}
        hasMore={hasMore}
        rowHeight={rowHeight.current}
        row={(index) => {
          const item = items[index];
          return item === undefined ? null : row(item);
        }}
      />
    </Suspense>
  );
}

function failureTitle(isNextPage: boolean, noun: string): string {
  return isNextPage ? `More ${noun} could not be loaded.` : "This may be out of date.";
}
