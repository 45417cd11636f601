/** Keys of a session's page. */
import { type RefObject, useEffect, useRef } from "react";
import type { TranscriptHandle } from "./transcript.tsx";

/** Home and End go to the ends of the transcript, wherever the focus is; not where they have a meaning of their own. */
export function useEndKeys(transcript: RefObject<TranscriptHandle | null>): void {
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

/** A slash begins a search, where no text is being written. */
export function useSearchKey(onSearch: () => void): void {
  const search = useRef(onSearch);
  search.current = onSearch;
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.key !== "/" || event.altKey || event.ctrlKey || event.metaKey || event.defaultPrevented) return;
      if (event.target instanceof Element && event.target.closest("input, textarea, [role=menu], [role$=dialog]"))
        return;
      event.preventDefault();
      search.current();
    };
    document.addEventListener("keydown", onKeyDown);
    return () => document.removeEventListener("keydown", onKeyDown);
  }, []);
}
