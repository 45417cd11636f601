/** A row of a list of settings: what it is called, what is to be known of it, and what can be done with it. */
import type { ReactNode } from "react";
import { ListRow } from "./card.tsx";
import styles from "./entry.module.css";

interface EntryProps {
  /** The name, and badges beside it. */
  head: ReactNode;
  /** In small type under it. What is empty is left out. */
  meta?: readonly ReactNode[];
  children?: ReactNode;
  actions?: ReactNode;
}

export function Entry({ head, meta = [], children, actions }: EntryProps) {
  const shown = meta.filter((item) => item !== null && item !== false && item !== undefined && item !== "");
  return (
    <ListRow className={styles.entry}>
      <div className={styles.main}>
        <div className={styles.head}>{head}</div>
        {shown.length > 0 && (
          <p className={styles.meta}>
            {shown.map((item, place) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: they are texts, each in its place
              <span key={place}>{item}</span>
            ))}
          </p>
        )}
        {children}
      </div>
      {actions !== undefined && <div className={styles.actions}>{actions}</div>}
    </ListRow>
  );
}
