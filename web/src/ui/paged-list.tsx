/** A list that is read page by page: loading, failed, empty, shown, and "Load more". */
import type { InfiniteData, UseInfiniteQueryResult } from "@tanstack/react-query";
import type { ReactNode } from "react";
import type { Page } from "#protocol/api.ts";
import { Button } from "./button.tsx";
import { Card, List } from "./card.tsx";
import { ErrorNotice, ErrorState } from "./error-state.tsx";
import styles from "./paged-list.module.css";
import { SkeletonRows } from "./skeleton.tsx";

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
      {items.length > 0 && <List label={noun}>{items.map(row)}</List>}
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

function failureTitle(isNextPage: boolean, noun: string): string {
  return isNextPage ? `More ${noun} could not be loaded.` : "This may be out of date.";
}
