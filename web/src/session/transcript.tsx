/** The transcript as a list of which only what is near to be seen is in the page. */
import { type RefObject, useEffect, useImperativeHandle, useMemo, useRef, useState, useSyncExternalStore } from "react";
import { Button } from "../ui/button.tsx";
import { Spinner } from "../ui/spinner.tsx";
import { VirtualList, type VirtualListHandle } from "../ui/virtual-list.tsx";
import { FoldsContext } from "./fold.tsx";
import { ArrowDownIcon } from "./icons.tsx";
import { ItemRow } from "./items/item-row.tsx";
import styles from "./transcript.module.css";
import type { TranscriptStore, TranscriptView } from "./transcript-store.ts";
import { useFollowEnd } from "./use-follow-end.ts";

/** What the page around it can ask of the list. */
export interface TranscriptHandle {
  goToStart(): void;
  goToEnd(): void;
  goTo(seq: number): void;
}

interface TranscriptProps {
  store: TranscriptStore;
  handle: RefObject<TranscriptHandle | null>;
}

export function Transcript({ store, handle }: TranscriptProps) {
  const view = useSyncExternalStore(store.subscribe, store.view);
  const open = useRef(new Map<string, boolean>());
  useHashTarget(store);
  return <TranscriptList key={view.listId} store={store} view={view} handle={handle} open={open.current} />;
}

/** `#seq-12` in the address is the place of event 12. */
function useHashTarget(store: TranscriptStore): void {
  useEffect(() => {
    const go = () => {
      const seq = /^#seq-(\d{1,9})$/.exec(location.hash)?.[1];
      if (seq !== undefined) void store.goTo(Number(seq));
    };
    go();
    window.addEventListener("hashchange", go);
    return () => window.removeEventListener("hashchange", go);
  }, [store]);
}

interface ListProps extends TranscriptProps {
  view: TranscriptView;
  open: Map<string, boolean>;
}

function TranscriptList({ store, view, handle, open }: ListProps) {
  const list = useRef<VirtualListHandle>(null);
  const { isFollowing, scroller, setScroller, onHeightChange, holdStill, goToEnd } = useFollowEnd(
    view.opensAt === "end",
    !view.hasNewer,
  );
  const [hadOlder] = useState(view.hasOlder);
  const [opening] = useState(() => openingOf(view));
  const fresh = useFresh(view.added, isFollowing);
  const isSettledIn = useSettledIn();
  const folds = useMemo(() => ({ open, onUnfold: holdStill }), [open, holdStill]);
  const toEnd = () => {
    if (view.hasNewer) return store.goToEnd();
    goToEnd();
  };
  useImperativeHandle(handle, () => ({
    goToStart: () => {
      if (view.first > 1) void store.goToStart();
      else scroller.current?.scrollTo({ top: 0 });
    },
    goToEnd: toEnd,
    goTo: (seq) => void store.goTo(seq),
  }));
  const { target } = view;
  const aimed = useRef<TranscriptView["target"]>(view.opensAt === "start" ? target : null);
  useEffect(() => {
    if (target === null || aimed.current?.times === target.times) return;
    aimed.current = target;
    const index = indexOf(view, target.seq);
    if (index === null) return;
    holdStill();
    list.current?.scrollToIndex(index, { align: "center" });
  }, [target, view, holdStill]);
  return (
    <FoldsContext value={folds}>
      <div className={styles.frame}>
        <VirtualList
          list={list}
          className={styles.list}
          role="log"
          aria-label="Transcript"
          // Rows that come into the page by scrolling are not news.
          aria-live={isFollowing && isSettledIn ? "polite" : "off"}
          length={view.length}
          firstIndex={view.firstIndex}
          opensAt={opening}
          row={(index) => rowAt(view, index)}
          before={<Before store={store} view={view} hadOlder={hadOlder} />}
          after={<After store={store} view={view} />}
          scroller={setScroller}
          onResized={onHeightChange}
          onNearStart={() => void store.loadOlder()}
          onNearEnd={() => void store.loadNewer()}
        />
        <GoingToStart store={store} view={view} />
        {!isFollowing && fresh > 0 && (
          <Button className={styles.below} icon={<ArrowDownIcon />} onClick={toEnd}>
            New below <span className={styles.count}>{fresh}</span>
          </Button>
        )}
      </div>
    </FoldsContext>
  );
}

/** How many items have come since the reader left the end. */
function useFresh(added: number, isFollowing: boolean): number {
  const [seen, setSeen] = useState(added);
  if (isFollowing && seen !== added) setSeen(added);
  return isFollowing ? 0 : added - seen;
}

/** What a page begins with is not read out: only what comes to it. */
function useSettledIn(): boolean {
  const [isSettledIn, setSettledIn] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setSettledIn(true), 1_000);
    return () => clearTimeout(timer);
  }, []);
  return isSettledIn;
}

function rowAt(view: TranscriptView, index: number) {
  const item = view.itemAt(index);
  if (item === undefined) return <div key={index} />;
  return <ItemRow key={item.key} item={item} isTarget={view.target !== null && item.seqs.includes(view.target.seq)} />;
}

/** Where the item is that shows an event, from 0; null where none does. */
function indexOf(view: TranscriptView, seq: number): number | null {
  for (let index = 0; index < view.length; index += 1) if (view.itemAt(index)?.seqs.includes(seq)) return index;
  return null;
}

/** What a list is looked at from when it is made. */
function openingOf(view: TranscriptView): number | "end" {
  if (view.opensAt === "end") return "end";
  return view.target === null ? 0 : (indexOf(view, view.target.seq) ?? 0);
}

interface BeforeProps {
  store: TranscriptStore;
  view: TranscriptView;
  /** Whether anything came before the list when it was first seen. */
  hadOlder: boolean;
}

/** Of one height, whatever it says: what is below does not move. */
function Before({ store, view, hadOlder }: BeforeProps) {
  if (!view.hasOlder) return <div className={hadOlder ? styles.edge : styles.top} />;
  if (view.failure?.of === "older") {
    return <Failed what="Earlier events could not be loaded." onRetry={() => void store.loadOlder()} />;
  }
  return <Loading what="Loading earlier events" />;
}

function After({ store, view }: { store: TranscriptStore; view: TranscriptView }) {
  if (!view.hasNewer) return <div className={styles.end} />;
  if (view.failure?.of === "newer") {
    return <Failed what="Later events could not be loaded." onRetry={() => void store.loadNewer()} />;
  }
  return <Loading what="Loading later events" />;
}

/** Over the list, which stays where it is until the start is there. */
function GoingToStart({ store, view }: { store: TranscriptStore; view: TranscriptView }) {
  const { loading, failure } = view;
  const isOf = (what: unknown) => what === "start" || what === "place";
  if (!isOf(loading) && !isOf(failure?.of)) return null;
  return (
    <div className={styles.above}>
      {loading === "start" && <Loading what="Loading the start" />}
      {loading === "place" && <Loading what="Loading that place" />}
      {loading === null && failure?.of === "start" && (
        <Failed what="The start could not be loaded." onRetry={() => void store.goToStart()} />
      )}
      {loading === null && failure?.of === "place" && <p className={styles.edge}>That place could not be loaded.</p>}
    </div>
  );
}

function Loading({ what }: { what: string }) {
  return (
    <div className={styles.edge}>
      <Spinner />
      {what}
    </div>
  );
}

function Failed({ what, onRetry }: { what: string; onRetry: () => void }) {
  return (
    <div className={styles.edge}>
      <span className={styles.failed}>{what}</span>
      <Button size="sm" onClick={onRetry}>
        Try again
      </Button>
    </div>
  );
}
