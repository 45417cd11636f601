/** Keeps the list at its end while the reader is there, and lets go as soon as they scroll up. */
import { type RefObject, useCallback, useEffect, useRef, useState } from "react";

const END_SLACK_PX = 24;

export interface FollowEnd {
  isFollowing: boolean;
  scroller: RefObject<HTMLElement | null>;
  setScroller: (scroller: HTMLElement | Window | null) => void;
  /** The list has grown or shrunk. */
  onHeightChange: () => void;
  /** Whatever grows now was asked for by the reader, who looks at where it begins. */
  holdStill: () => void;
  goToEnd: () => void;
}

/** @param canFollow false while the list's end is not the transcript's. */
export function useFollowEnd(startsAtEnd: boolean, canFollow: boolean): FollowEnd {
  const scroller = useRef<HTMLElement | null>(null);
  const [element, setElement] = useState<HTMLElement | null>(null);
  const following = useRef(startsAtEnd);
  const [isFollowing, setFollowing] = useState(startsAtEnd);

  const follow = useCallback((next: boolean) => {
    following.current = next;
    setFollowing(next);
  }, []);

  const setScroller = useCallback((next: HTMLElement | Window | null) => {
    scroller.current = next instanceof HTMLElement ? next : null;
    setElement(scroller.current);
  }, []);

  const onHeightChange = useCallback(() => {
    if (following.current && scroller.current !== null) scroller.current.scrollTop = scroller.current.scrollHeight;
  }, []);

  useEffect(() => {
    if (element === null) return;
    let { scrollTop, scrollHeight, clientHeight } = element;
    const onScroll = () => {
      // What shrinks above the reader also moves the list up, and so does the room that the list gets when a card below it
      // goes: that is not the reader's doing.
      const hasMoved = element.scrollHeight < scrollHeight || element.clientHeight > clientHeight;
      const wentUp = element.scrollTop < scrollTop - 1 && !hasMoved;
      if (wentUp) follow(false);
      else if (isAtEnd(element)) follow(canFollow);
      ({ scrollTop, scrollHeight, clientHeight } = element);
    };
    const sizes = new ResizeObserver(onHeightChange);
    sizes.observe(element);
    element.addEventListener("scroll", onScroll, { passive: true });
    return () => {
      sizes.disconnect();
      element.removeEventListener("scroll", onScroll);
    };
  }, [element, canFollow, follow, onHeightChange]);

  const holdStill = useCallback(() => {
    if (!following.current) return;
    follow(false);
    // If all of it fits, the list is still at its end, and no scrolling tells so.
    setTimeout(() => {
      if (scroller.current !== null && isAtEnd(scroller.current)) follow(true);
    }, 100);
  }, [follow]);

  const goToEnd = useCallback(() => {
    follow(true);
    onHeightChange();
  }, [follow, onHeightChange]);

  return { isFollowing: isFollowing && canFollow, scroller, setScroller, onHeightChange, holdStill, goToEnd };
}

function isAtEnd({ scrollHeight, scrollTop, clientHeight }: HTMLElement): boolean {
  return scrollHeight - scrollTop - clientHeight <= END_SLACK_PX;
}
