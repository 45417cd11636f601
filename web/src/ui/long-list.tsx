/** A list with more rows than a page can hold well: those near to be seen are in it. It scrolls with the page. */
import { type CSSProperties, createContext, type ReactNode, type Ref, useContext } from "react";
import { WindowVirtualizer } from "virtua";
import styles from "./card.module.css";
import { RowInItem } from "./card.tsx";
import { classNames } from "./class-names.ts";

const BEYOND_PX = 800;

interface LongListProps {
  label: string;
  length: number;
  /** Whether there are rows that are not loaded. */
  hasMore: boolean;
  /** What a row is thought to be high, in pixels, until it is measured. */
  rowHeight: number;
  /** A row by its place, from 0; its `key` is the row's own. */
  row: (index: number) => ReactNode;
}

export function LongList({ label, length, hasMore, rowHeight, row }: LongListProps) {
  return (
    <ListOf value={{ label, size: hasMore ? -1 : length }}>
      <RowInItem value={true}>
        <div className={styles.card}>
          <WindowVirtualizer
            as={Items}
            item={Item}
            data={{ length } as ArrayLike<undefined>}
            itemSize={rowHeight}
            bufferSize={BEYOND_PX}
          >
            {(_data, index) => <>{row(index)}</>}
          </WindowVirtualizer>
        </div>
      </RowInItem>
    </ListOf>
  );
}

const ListOf = createContext({ label: "", size: -1 });

interface ItemsProps {
  style: CSSProperties;
  children: ReactNode;
  ref?: Ref<HTMLUListElement>;
}

function Items(props: ItemsProps) {
  return (
    // biome-ignore lint/a11y/noRedundantRoles: without its marks a list is none to Safari
    <ul role="list" aria-label={useContext(ListOf).label} className={styles.list} {...props} />
  );
}

interface ItemProps {
  index: number;
  style: CSSProperties;
  children: ReactNode;
  ref?: Ref<HTMLLIElement>;
}

/** Says which of all it is, as what stands beside it is not all. */
function Item({ index, ...props }: ItemProps) {
  const { size } = useContext(ListOf);
  return (
    <li aria-posinset={index + 1} aria-setsize={size} className={classNames(index > 0 && styles.item)} {...props} />
  );
}
