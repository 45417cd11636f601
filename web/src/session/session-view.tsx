/** A session that is there: its head, its transcript as it grows, and what is known of its run. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { type RefObject, useEffect, useId, useRef, useState, useSyncExternalStore } from "react";
import type { Session } from "#protocol/session.ts";
import { isActiveStatus } from "../format/status.ts";
import { runQuery, sessionQuery } from "../queries.ts";
import { usePageTitle } from "../shell/page.tsx";
import { EmptyState } from "../ui/empty-state.tsx";
import { SkeletonRows } from "../ui/skeleton.tsx";
import { Composer } from "./composer/composer.tsx";
import { ConnectionNote } from "./connection-note.tsx";
import { DetailsPanel } from "./details-panel.tsx";
import { WaitContext } from "./items/run-row.tsx";
import type { ConnectionState } from "./live-connection.ts";
import { LiveSession } from "./live-session.ts";
import { WaitingCard } from "./questions/waiting-card.tsx";
import { SessionHead } from "./session-head.tsx";
import styles from "./session-view.module.css";
import { tabTitle } from "./tab-title.ts";
import { Transcript, type TranscriptHandle } from "./transcript.tsx";
import { useWaitReason } from "./use-wait-reason.ts";

/** Where the details have room beside the transcript they are open at first. */
const WIDE = "(width >= 60rem)";

export function SessionView({ session }: { session: Session }) {
  const live = useLiveSession(session);
  const state = useSyncExternalStore(live?.subscribe ?? subscribeToNothing, live?.state ?? connecting);
  const runId = session.runs.at(-1)?.id;
  const { data: run } = useQuery({ ...runQuery(runId ?? ""), enabled: runId !== undefined });
  usePageTitle(tabTitle(session.title, run));
  const wait = useWaitReason(run);
  const [isPanelOpen, setPanelOpen] = useState(() => matchMedia(WIDE).matches);
  const panelId = useId();
  const transcript = useRef<TranscriptHandle>(null);
  const toStart = () => transcript.current?.goToStart();
  const toEnd = () => transcript.current?.goToEnd();
  useEndKeys(transcript);
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
        {isPanelOpen && <DetailsPanel id={panelId} run={run} />}
        <div className={styles.main}>
          <ConnectionNote state={state} onStart={toStart} onEnd={toEnd} />
          <WaitContext value={wait}>
            {live === null ? <Loading /> : <Content live={live} handle={transcript} state={state} />}
          </WaitContext>
          {live !== null && mayBeSpokenTo(state) && (
            <div className={styles.bottom}>
              <WaitingCard live={live} run={run} />
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

function Content({
  live,
  handle,
  state,
}: {
  live: LiveSession;
  handle: RefObject<TranscriptHandle | null>;
  state: ConnectionState;
}) {
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

/** Follows the session for as long as it is shown. */
function useLiveSession({ id, last_seq: lastSeq, runs }: Session): LiveSession | null {
  const queries = useQueryClient();
  const [live, setLive] = useState<LiveSession | null>(null);
  const openedAt = useRef(lastSeq);
  useEffect(() => {
    const opened = new LiveSession(
      id,
      openedAt.current,
      (runId) => {
        void queries.invalidateQueries({ queryKey: runQuery(runId).queryKey });
        void queries.invalidateQueries({ queryKey: sessionQuery(id).queryKey });
      },
      () => void queries.invalidateQueries({ queryKey: sessionQuery(id).queryKey }),
    );
    opened.start();
    setLive(opened);
    return () => opened.stop();
  }, [id, queries]);
  const isActive = runs.some(({ status }) => isActiveStatus(status));
  useEffect(() => live?.learn(lastSeq, isActive), [live, lastSeq, isActive]);
  return live;
}

/** Home and End go to the ends of the transcript, wherever the focus is; not where they have a meaning of their own. */
function useEndKeys(transcript: RefObject<TranscriptHandle | null>): void {
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey || event.defaultPrevented) return;
      if (event.key !== "Home" && event.key !== "End") return;
      if (event.target instanceof Element && event.target.closest("input, textarea, [role=menu], [role$=dialog]"))
        return;
      event.preventDefault();
      if (event.key === "Home") transcript.current?.goToStart();
      else transcript.current?.goToEnd();
    };
    document.addEventListener("keydown", onKeyDown);
    return () => document.removeEventListener("keydown", onKeyDown);
  }, [transcript]);
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
