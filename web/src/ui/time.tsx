/** Times that keep up with the clock: how long ago, and for how long. The exact time, with its zone, is shown at hover and focus. */
import { type ReactNode, useSyncExternalStore } from "react";
import { formatElapsed, formatRelative } from "../format/duration.ts";
import { exactTime } from "./exact-time.ts";
import { reachable } from "./time-stop.ts";

/** @param at RFC 3339. */
export function Time({ at }: { at: string }) {
  const text = useClock((now) => formatRelative(Date.parse(at), now));
  return <Stamp at={at}>{text}</Stamp>;
}

/** A time told in few words; whoever hears it hears the exact one too. @param props.at RFC 3339. */
export function Stamp({
  at,
  className,
  children,
}: {
  at: string;
  className?: string | undefined;
  children: ReactNode;
}) {
  return (
    <time ref={reachable} dateTime={at} className={className}>
      {children}
      <span className="visually-hidden">, {exactTime(at)}</span>
    </time>
  );
}

/** How long something has been going on. @param since RFC 3339. */
export function Elapsed({ since }: { since: string }) {
  return <span>{useClock((now) => formatElapsed(now - Date.parse(since)))}</span>;
}

/** To the minute, with the zone that it is told in: that of whoever reads it, or another. */
export function zonedTime(at: string, timeZone: string = OWN_ZONE): string {
  const text = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short", timeZone });
  return `${text.format(new Date(at))} (${timeZone})`;
}

/** The zone of whoever reads it: `Europe/Paris`. */
export const OWN_ZONE = new Intl.DateTimeFormat().resolvedOptions().timeZone;

/** To the minute, in the zone of whoever reads it. */
export function minuteTime(at: string): string {
  return toTheMinute.format(new Date(at));
}

const toTheMinute = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });

const TICK_MS = 1_000;
const listeners = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | undefined;

/** One clock for all: a component is drawn again only when its own text has changed. */
function useClock(textAt: (now: number) => string): string {
  return useSyncExternalStore(listen, () => textAt(Date.now()));
}

function listen(listener: () => void): () => void {
  listeners.add(listener);
  timer ??= setInterval(() => {
    for (const each of listeners) each();
  }, TICK_MS);
  return () => {
    listeners.delete(listener);
    if (listeners.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
}
