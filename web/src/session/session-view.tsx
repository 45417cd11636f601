/** A session that is there: its head, its transcript as it grows, and what is known of its run. */
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { lazy, type RefObject, Suspense, useId, useRef, useState, useSyncExternalStore } from "react";
import type { Session } from "#protocol/session.ts";
import { runQuery } from "../queries.ts";
import { usePageTitle } from "../shell/page.tsx";
import { EmptyState } from "../ui/empty-state.tsx";
import { SkeletonRows } from "../ui/skeleton.tsx";
import { Composer } from "./composer/composer.tsx";
import { ConnectionNote } from "./connection-note.tsx";
import { DetailsPanel } from "./details-panel.tsx";
import type { ConnectionState } from "./live-connection.ts";
import type { LiveSession } from "./live-session.ts";
import { SessionHead } from "./session-head.tsx";
import styles from "./session-view.module.css";
import type { SessionViewName } from "./session-views.ts";
import { tabTitle } from "./tab-title.ts";
import type { TranscriptHandle } from "./transcript.tsx";
import { useEndKeys, useSearchKey } from "./transcript-keys.ts";
import { useLiveSession } from "./use-live-session.ts";
import { useWaitReason } from "./use-wait-reason.ts";
import { ViewLinks } from "./view-links.tsx";
import { WaitContext } from "./wait-context.ts";

// Loaded beside the page by its route. The other views need neither it nor what reads Markdown.
const Transcript = lazy(async () => ({ default: (await import("./transcript.tsx")).Transcript }));
const ChangesView = lazy(async () => ({ default: (await import("./diff/changes-view.tsx")).ChangesView }));
const SearchBar = lazy(async () => ({ default: (await import("./search/search-bar.tsx")).SearchBar }));
const WaitingCard = lazy(async () => ({ default: (await import("./questions/waiting-card.tsx")).WaitingCard }));
const EventsView = lazy(async () => ({ default: (await import("./events/events-view.tsx")).EventsView }));

/** Where the details have room beside the transcript they are open at first. */
const WIDE = "(width >= 60rem)";

export function SessionView({ session, view }: { session: Session; view: SessionViewName }) {
  const live = useLiveSession(session);
  const state = useSyncExternalStore(live?.subscribe ?? subscribeToNothing, live?.state ?? connecting);
  const runId = session.runs.at(-1)?.id;
  const { data: run } = useQuery({
    ...runQuery(runId ?? ""),
    enabled: runId !== undefined,
    placeholderData: keepPreviousData,
  });
  usePageTitle(tabTitle(session.title, run));
  const wait = useWaitReason(run);
  // What is told of an answer stays when the run waits no more.
  const [hasWaited, setHasWaited] = useState(false);
  if (run?.status === "waiting" && !hasWaited) setHasWaited(true);
  const [isPanelOpen, setPanelOpen] = useState(() => matchMedia(WIDE).matches);
  const [isSearching, setSearching] = useState(false);
  const panelId = useId();
  const transcript = useRef<TranscriptHandle>(null);
  const ends = {
    onStart: () => transcript.current?.goToStart(),
    onEnd: () => transcript.current?.goToEnd(),
    onSearch: () => setSearching(true),
  };
  useEndKeys(transcript);
  useSearchKey(() => setSearching(true));
  return (
    <main className={styles.page} data-connection={shownState(state)}>
      <SessionHead
        session={session}
        run={run}
        isPanelOpen={isPanelOpen}
        panelId={panelId}
        onPanel={() => setPanelOpen(!isPanelOpen)}
      />
      <div className={styles.body} data-panel={isPanelOpen}>
        {isPanelOpen && <DetailsPanel id={panelId} session={session} run={run} />}
        <div className={styles.main}>
          <ConnectionNote
            state={state}
            views={<ViewLinks sessionId={session.id} />}
            ends={view === "transcript" ? ends : null}
          />
          {isSearching && view === "transcript" && live !== null && (
            <Suspense>
              <SearchBar
                live={live}
                onGo={(seq) => transcript.current?.goTo(seq)}
                onClose={() => setSearching(false)}
              />
            </Suspense>
          )}
          <div className={styles.shown}>
            <WaitContext value={wait}>
              {live === null ? (
                <Loading />
              ) : (
                <Shown view={view} session={session} live={live} handle={transcript} state={state} />
              )}
            </WaitContext>
          </div>
          {live !== null && mayBeSpokenTo(state) && (
            <div className={styles.bottom}>
              <Suspense>{hasWaited && <WaitingCard live={live} run={run} />}</Suspense>
              <Composer live={live} sessionId={session.id} run={run} />
            </div>
          )}
        </div>
      </div>
    </main>
  );
}

/** Not where the session is gone, or the page can't speak for anybody. */
function mayBeSpokenTo(state: ConnectionState): boolean {
  return state !== "gone" && state !== "signed-out" && state !== "refused";
}

interface ContentProps {
  live: LiveSession;
  handle: RefObject<TranscriptHandle | null>;
  state: ConnectionState;
}

function Shown({ view, session, ...content }: ContentProps & { view: SessionViewName; session: Session }) {
  return (
    <Suspense fallback={<Loading />}>
      {view === "transcript" && <Content {...content} />}
      {view === "changes" && <ChangesView session={session} comments={content.live.comments} />}
      {view === "events" && <EventsView sessionId={session.id} live={content.live} />}
    </Suspense>
  );
}

function Content({ live, handle, state }: ContentProps) {
  const { isReady, length } = useSyncExternalStore(live.store.subscribe, live.store.view);
  if (length > 0 && isReady) return <Transcript store={live.store} handle={handle} />;
  if (isReady || state === "ended") {
    return (
      <EmptyState title="Nothing has happened yet">
        <p>What the agent does appears here as it happens.</p>
      </EmptyState>
    );
  }
  return <Loading />;
}

function Loading() {
  return <SkeletonRows label="Loading the transcript" rows={6} />;
}

/** For tests and styles; what is final and not an end is offline to them. */
function shownState(state: ConnectionState): "live" | "connecting" | "offline" | "ended" {
  return state === "live" || state === "connecting" || state === "ended" ? state : "offline";
}

function subscribeToNothing(): () => void {
  return () => {};
}

function connecting(): ConnectionState {
  return "connecting";
}
