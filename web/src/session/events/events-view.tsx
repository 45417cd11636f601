/** Every event of the session as the API gives it, oldest first. */
import { useInfiniteQuery } from "@tanstack/react-query";
import { useEffect, useSyncExternalStore } from "react";
import type { Json } from "#protocol/schema.ts";
import type { TranscriptEvent } from "#protocol/transcript.ts";
import { listSessionEvents } from "../../client/generated.ts";
import { ErrorState } from "../../ui/error-state.tsx";
import { SkeletonRows } from "../../ui/skeleton.tsx";
import { VirtualList } from "../../ui/virtual-list.tsx";
import { Fold } from "../fold.tsx";
import type { LiveSession } from "../live-session.ts";
import { jsonText } from "../text/json-text.ts";
import { LongText } from "../text/long-text.tsx";
import styles from "./events-view.module.css";

const PAGE_EVENTS = 500;

export function EventsView({ sessionId, live }: { sessionId: string; live: LiveSession }) {
  const query = useInfiniteQuery({
    queryKey: ["session-events", sessionId],
    queryFn: async ({ pageParam, signal }) =>
      (await listSessionEvents(sessionId, { after: pageParam, limit: PAGE_EVENTS }, { signal }))
        .data as TranscriptEvent[],
    initialPageParam: 0,
    getNextPageParam: (last) => last.at(-1)?.seq,
    // Events never change: those that are here are not read again.
    staleTime: Number.POSITIVE_INFINITY,
  });
  const { data, error, isFetching, refetch, fetchNextPage } = query;
  const events = data?.pages.flat();
  const loaded = events?.at(-1)?.seq ?? 0;
  const known = useSyncExternalStore(live.store.subscribe, () => live.store.last());
  const isAtEnd = (data?.pages.at(-1)?.length ?? 0) < PAGE_EVENTS;
  useEffect(() => {
    if (loaded > 0 && isAtEnd && loaded < known && !isFetching) void fetchNextPage();
  }, [loaded, known, isAtEnd, isFetching, fetchNextPage]);
  if (events === undefined) {
    if (error === null) return <SkeletonRows label="Loading the events" rows={6} />;
    return (
      <ErrorState
        title="The events could not be loaded"
        error={error}
        onRetry={() => refetch()}
        isRetrying={isFetching}
      />
    );
  }
  return (
    <section className={styles.view} aria-label="Events">
      <VirtualList
        className={styles.list}
        aria-label="All events"
        role="group"
        length={events.length}
        row={(index) => rowAt(events, index)}
        before={<Edge />}
        after={<Edge />}
        onNearEnd={() => {
          if (!isAtEnd && !isFetching) void fetchNextPage();
        }}
      />
    </section>
  );
}

function Edge() {
  return <div className={styles.edge} />;
}

function rowAt(events: readonly TranscriptEvent[], index: number) {
  const event = events[index];
  return event === undefined ? <div key={index} /> : <EventRow key={event.seq} event={event} />;
}

function EventRow({ event }: { event: TranscriptEvent }) {
  return (
    <div className={styles.row}>
      <Fold
        foldKey={`event:${event.seq}`}
        line={
          <>
            <span className={styles.seq}>{event.seq}</span>
            <code className={styles.type}>{event.type}</code>
            <time className={styles.time} dateTime={event.at}>
              {event.at.slice(11, 23)} UTC
            </time>
          </>
        }
      >
        {() => <LongText label="Event" text={textOf(event)} foldKey={`event:${event.seq}`} bound={BOUND} />}
      </Fold>
    </div>
  );
}

const BOUND = { lines: 60, characters: 8_000 };

function textOf(event: TranscriptEvent): string {
  const json: Json = JSON.parse(JSON.stringify(event));
  return jsonText(json);
}
