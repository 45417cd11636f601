/** Where a person speaks to the session: steers a run that is on, goes on with one that waits or has ended, and stops it. */
import { type KeyboardEvent, memo, useEffect, useRef, useState, useSyncExternalStore } from "react";
import type { Run } from "#protocol/run.ts";
import { isActiveStatus } from "../../format/status.ts";
import { Button } from "../../ui/button.tsx";
import { CancelRun } from "../cancel-run.tsx";
import { ArrowUpIcon, PauseTurnIcon } from "../icons.tsx";
import type { LiveSession } from "../live-session.ts";
import styles from "./composer.module.css";
import { keepDraft, readDraft } from "./kept.ts";
import { PendingMessages } from "./pending-messages.tsx";
import { useOutgoing } from "./use-outgoing.ts";
import { WaitingComments } from "./waiting-comments.tsx";
import { whatAMessageDoes } from "./what-a-message-does.ts";

/** What the API takes, in `protocol/message.ts`. */
const TEXT_LIMIT = 65_536;

interface ComposerProps {
  live: LiveSession;
  sessionId: string;
  /** The session's latest run; undefined until it is loaded. */
  run: Run | undefined;
}

/** Its text is its own: what streams in beside it does not draw it again. */
export const Composer = memo(function Composer({ live, sessionId, run }: ComposerProps) {
  const [text, setText] = useState(() => readDraft(sessionId));
  const field = useRef<HTMLTextAreaElement>(null);
  const { isStopping, interruptRefusal } = useOutgoing(live);
  const isTurnOn = run?.status === "running" && run.cancel_requested_at === null;
  const comments = useSyncExternalStore(live.comments.subscribe, live.comments.all);
  const length = comments.length === 0 ? text.length : live.worded(text).length;
  const isTooLong = length > TEXT_LIMIT;
  const isNothing = text.trim() === "" && comments.length === 0;
  useInterruptKey(isTurnOn && !isStopping, live);
  const change = (next: string) => {
    setText(next);
    keepDraft(sessionId, next);
  };
  const send = () => {
    if (isNothing || isTooLong) return;
    live.say(text);
    change("");
    field.current?.focus();
  };
  const takeBack = (id: string) => {
    const refused = live.outgoing.takeBack(id);
    change(text.trim() === "" ? refused : `${refused}\n\n${text}`);
    field.current?.focus();
  };
  return (
    <section aria-label="Message" className={styles.area}>
      <PendingMessages live={live} run={run} onTakeBack={takeBack} />
      {comments.length > 0 && <WaitingComments comments={comments} onRemove={(id) => live.comments.remove(id)} />}
      <div className={styles.box}>
        <textarea
          ref={field}
          className={styles.field}
          aria-label="Message to the agent"
          aria-describedby="composer-hint"
          aria-invalid={isTooLong || undefined}
          placeholder={run === undefined ? "" : whatAMessageDoes(run).placeholder}
          rows={1}
          value={text}
          onChange={({ target }) => change(target.value)}
          onKeyDown={(event) => {
            if (!sends(event)) return;
            event.preventDefault();
            send();
          }}
        />
        <div className={styles.bar}>
          {run !== undefined && isActiveStatus(run.status) && <CancelRun key={run.id} run={run} />}
          {(isTurnOn || isStopping) && (
            <Button
              size="sm"
              icon={<PauseTurnIcon />}
              isBusy={isStopping}
              title="Stops what the agent is doing, and keeps the session (Esc)"
              onClick={() => live.outgoing.interrupt()}
            >
              {isStopping ? "Stopping…" : "Interrupt"}
            </Button>
          )}
          <Button
            variant="primary"
            size="sm"
            className={styles.send}
            icon={<ArrowUpIcon />}
            disabled={isNothing || isTooLong}
            onClick={send}
          >
            Send
          </Button>
        </div>
      </div>
      <p
        id="composer-hint"
        className={styles.hint}
        role={interruptRefusal === null && !isTooLong ? undefined : "alert"}
      >
        {isTooLong
          ? `A message has at most ${TEXT_LIMIT.toLocaleString("en-US")} characters: this one has ${length.toLocaleString("en-US")}.`
          : (interruptRefusal ?? (run === undefined ? "" : whatAMessageDoes(run).hint))}
      </p>
    </section>
  );
});

/** Enter sends, with Shift it begins a line; where there is no keyboard, its key begins a line as everywhere there. */
function sends({ key, shiftKey, ctrlKey, metaKey, nativeEvent }: KeyboardEvent): boolean {
  if (key !== "Enter" || shiftKey || nativeEvent.isComposing) return false;
  return ctrlKey || metaKey || !matchMedia("(pointer: coarse)").matches;
}

/** Escape interrupts, wherever the focus is; not where it has a meaning of its own. */
function useInterruptKey(isOn: boolean, live: LiveSession): void {
  useEffect(() => {
    if (!isOn) return;
    const onKeyDown = (event: globalThis.KeyboardEvent) => {
      if (event.key !== "Escape" || event.defaultPrevented || event.isComposing) return;
      if (event.target instanceof Element && event.target.closest("[role=menu], [role$=dialog], [role=search]")) return;
      live.outgoing.interrupt();
    };
    document.addEventListener("keydown", onKeyDown);
    return () => document.removeEventListener("keydown", onKeyDown);
  }, [isOn, live]);
}
