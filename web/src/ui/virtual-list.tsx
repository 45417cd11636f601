/** A list of any length in an element that scrolls, of which only what is near to be seen is in the page. */
import {
  type HTMLAttributes,
  type ReactElement,
  type ReactNode,
  type RefObject,
  useEffectEvent,
  useLayoutEffect,
  useRef,
  useState,
} from "react";
import { Virtualizer, type VirtualizerHandle } from "virtua";

/** How far beyond what is seen rows are made, and how near an end is when more is asked for. */
const BEYOND_PX = 600;

export type VirtualListHandle = Pick<VirtualizerHandle, "scrollToIndex" | "getItemOffset">;

interface VirtualListProps extends Omit<HTMLAttributes<HTMLDivElement>, "children" | "onScroll" | "onResize"> {
  length: number;
  /** The first row's number: falls as rows come before it, and what is seen stays where it is. */
  firstIndex?: number;
  /** Where it is looked at first: at its end, or with the row at this place, from 0, in the middle. */
  opensAt?: number | "end";
  /** A row by its place, from 0; its `key` is the row's own. */
  row: (index: number) => ReactElement;
  /** Above the rows, and of one height as long as the list is there. */
  before: ReactNode;
  after: ReactNode;
  list?: RefObject<VirtualListHandle | null>;
  scroller?: (element: HTMLElement | null) => void;
  /** Rows or the list have another size: called before that is painted. */
  onResized?: () => void;
  /** The reader is near an end, or still is when it has grown there: told once each time. */
  onNearStart?: () => void;
  onNearEnd?: () => void;
}

export function VirtualList(props: VirtualListProps) {
  const { length, firstIndex = 0, opensAt = 0, row, before, after, list, scroller, ...rest } = props;
  const { onResized, onNearStart, onNearEnd, ...attributes } = rest;
  const element = useRef<HTMLDivElement>(null);
  const own = useRef<VirtualListHandle>(null);
  const head = useRef<HTMLDivElement>(null);
  const [headHeight, setHeadHeight] = useState(0);
  const open = useEffectEvent(() => {
    setHeadHeight(head.current?.offsetHeight ?? 0);
    if (element.current === null || own.current === null || opensAt === 0) return;
    if (opensAt === "end") element.current.scrollTop = element.current.scrollHeight;
    else {
      // At once where it is thought to be, and there when rows have been measured.
      element.current.scrollTop = own.current.getItemOffset(opensAt);
      own.current.scrollToIndex(opensAt, { align: "center" });
    }
  });
  useLayoutEffect(() => open(), []);
  useLayoutEffect(() => {
    scroller?.(element.current);
    return () => scroller?.(null);
  }, [scroller]);
  const shown = useRef({ firstIndex, length: 0 });
  const hasComeBefore = firstIndex < shown.current.firstIndex;
  const near = useRef({ start: false, end: false });
  const tellNearness = useEffectEvent(() => {
    if (element.current === null) return;
    const { scrollTop, scrollHeight, clientHeight } = element.current;
    const was = near.current;
    const start = scrollTop < BEYOND_PX;
    const end = scrollHeight - scrollTop - clientHeight < BEYOND_PX;
    near.current = { start, end };
    if (start && !was.start) onNearStart?.();
    if (end && !was.end) onNearEnd?.();
  });
  useLayoutEffect(() => {
    const was = shown.current;
    shown.current = { firstIndex, length };
    const { start, end } = near.current;
    near.current = { start: start && was.firstIndex === firstIndex, end: end && was.length === length };
    tellNearness();
  }, [firstIndex, length]);
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached with the keyboard
    <div tabIndex={0} {...attributes} ref={element}>
      <div ref={head}>{before}</div>
      <Virtualizer
        ref={(handle) => {
          own.current = handle;
          if (list !== undefined) list.current = handle;
        }}
        data={{ length } as ArrayLike<undefined>}
        shift={hasComeBefore}
        startMargin={headHeight}
        bufferSize={BEYOND_PX}
        onScroll={() => tellNearness()}
        onResize={() => {
          onResized?.();
          tellNearness();
        }}
      >
        {(_data, index) => row(index)}
      </Virtualizer>
      {after}
    </div>
  );
}
