/** How the page is connected, in words, and the ways to the transcript's two ends. */
import { Button } from "../ui/button.tsx";
import { classNames } from "../ui/class-names.ts";
import styles from "./connection-note.module.css";
import { ToEndIcon, ToStartIcon } from "./icons.tsx";
import type { ConnectionState } from "./live-connection.ts";

const TEXTS: Record<ConnectionState, string> = {
  connecting: "Connecting…",
  live: "Live",
  offline: "Offline: reconnects by itself; nothing is lost",
  ended: "Ended: this is the whole transcript",
  gone: "This session has been deleted",
  "signed-out": "Signed out",
  refused: "This page is older than the instance: reload it",
};

interface ConnectionNoteProps {
  state: ConnectionState;
  onStart: () => void;
  onEnd: () => void;
}

export function ConnectionNote({ state, onStart, onEnd }: ConnectionNoteProps) {
  return (
    <div className={styles.strip}>
      <p role="status" className={classNames(styles.state, styles[state])}>
        <span className={styles.dot} aria-hidden="true" />
        {TEXTS[state]}
      </p>
      <Button
        variant="ghost"
        size="sm"
        aria-label="Go to start"
        title="Go to start (Home)"
        icon={<ToStartIcon />}
        onClick={onStart}
      />
      <Button
        variant="ghost"
        size="sm"
        aria-label="Go to end"
        title="Go to end (End)"
        icon={<ToEndIcon />}
        onClick={onEnd}
      />
    </div>
  );
}
