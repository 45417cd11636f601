/** Searches the whole transcript, also what is not loaded, and steps through what was found. */
import { useEffect, useRef, useState } from "react";
import { asProblem } from "../../problem.ts";
import { Button } from "../../ui/button.tsx";
import { ChevronRightIcon } from "../../ui/icons.tsx";
import type { LiveSession } from "../live-session.ts";
import { type Found, findEvents } from "./find-events.ts";
import styles from "./search-bar.module.css";

/** After the last key. */
const PAUSE_MS = 250;
const NOTHING: Found = { seqs: [], isOver: true };

interface SearchBarProps {
  live: LiveSession;
  onGo: (seq: number) => void;
  onClose: () => void;
}

export function SearchBar({ live, onGo, onClose }: SearchBarProps) {
  const [words, setWords] = useState("");
  const [found, setFound] = useState<Found>(NOTHING);
  const [fault, setFault] = useState<string | null>(null);
  const [at, setAt] = useState(-1);
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => field.current?.focus(), []);
  useEffect(() => {
    setFound(NOTHING);
    setFault(null);
    setAt(-1);
    if (words.trim() === "") return;
    const stop = new AbortController();
    const timer = setTimeout(() => {
      findEvents(words.trim(), live.readEvents, setFound, stop.signal).catch((error: unknown) => {
        if (!stop.signal.aborted) setFault(asProblem(error).message);
      });
    }, PAUSE_MS);
    return () => {
      stop.abort();
      clearTimeout(timer);
    };
  }, [words, live]);
  const { seqs } = found;
  const step = (by: number) => {
    if (seqs.length === 0) return;
    const next = at === -1 && by < 0 ? seqs.length - 1 : (at + by + seqs.length) % seqs.length;
    setAt(next);
    onGo(seqs[next] ?? 1);
  };
  return (
    <search className={styles.bar}>
      <input
        ref={field}
        className={styles.field}
        aria-label="Search the transcript"
        placeholder="Search the whole transcript"
        value={words}
        onChange={({ target }) => setWords(target.value)}
        onKeyDown={(event) => {
          if (event.key === "Enter") step(event.shiftKey ? -1 : 1);
          else if (event.key === "Escape") onClose();
          else return;
          event.preventDefault();
        }}
      />
      <span role="status" className={styles.count}>
        {words.trim() === "" ? "" : (fault ?? countOf(found, at))}
      </span>
      <Button
        variant="ghost"
        size="sm"
        className={styles.previous}
        aria-label="Previous"
        icon={<ChevronRightIcon size={14} />}
        onClick={() => step(-1)}
      />
      <Button
        variant="ghost"
        size="sm"
        className={styles.next}
        aria-label="Next"
        icon={<ChevronRightIcon size={14} />}
        onClick={() => step(1)}
      />
      <Button variant="ghost" size="sm" onClick={onClose}>
        Close
      </Button>
    </search>
  );
}

function countOf({ seqs, isOver }: Found, at: number): string {
  const all = `${seqs.length}${isOver ? "" : "+"}`;
  if (at >= 0) return `${at + 1} of ${all}`;
  if (seqs.length === 0) return isOver ? "Nothing found" : "Searching…";
  return `${all} found`;
}
