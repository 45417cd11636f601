/** How the page is connected, in words, and the ways to the transcript's two ends. */
import type { ReactNode } from "react";
import { Button } from "../ui/button.tsx";
import { classNames } from "../ui/class-names.ts";
import styles from "./connection-note.module.css";
import { SearchIcon, ToEndIcon, ToStartIcon } from "./icons.tsx";
import type { ConnectionState } from "./live-connection.ts";

const TEXTS: Record<ConnectionState, string> = {
  connecting: "Connecting…",
  live: "Live",
  offline: "Offline: reconnects by itself; nothing is lost",
  ended: "Ended",
  gone: "This session has been deleted",
  "signed-out": "Signed out",
  refused: "This page is older than the instance: reload it",
};

interface ConnectionNoteProps {
  state: ConnectionState;
  /** The ways to the other views of the session. */
  views: ReactNode;
  /** Null where no transcript is shown. */
  ends: { onStart: () => void; onEnd: () => void; onSearch: () => void } | null;
}

export function ConnectionNote({ state, views, ends }: ConnectionNoteProps) {
  return (
    <div className={styles.strip}>
      {views}
      <p role="status" className={classNames(styles.state, styles[state])}>
        <span className={styles.dot} aria-hidden="true" />
        <span>
          {TEXTS[state]}
          {state === "ended" && <span className={styles.rest}>: all of it is here</span>}
        </span>
      </p>
      {ends !== null && (
        <>
          <Button
            variant="ghost"
            size="sm"
            aria-label="Search the transcript"
            title="Search the transcript (/)"
            icon={<SearchIcon />}
            onClick={ends.onSearch}
          />
          <Button
            className={styles.end}
            variant="ghost"
            size="sm"
            aria-label="Go to start"
            title="Go to start (Home)"
            icon={<ToStartIcon />}
            onClick={ends.onStart}
          />
          <Button
            className={styles.end}
            variant="ghost"
            size="sm"
            aria-label="Go to end"
            title="Go to end (End)"
            icon={<ToEndIcon />}
            onClick={ends.onEnd}
          />
        </>
      )}
    </div>
  );
}
