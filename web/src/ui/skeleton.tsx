/** Grey shapes in the place of what is being loaded, and one sentence for those who can't see them. */
import { useEffect, useState } from "react";
import styles from "./skeleton.module.css";

/** Whoever waits that long is told that it is not as it should be. */
const LONG_MS = 8_000;

interface SkeletonProps {
  /** What is being loaded: "Loading runs". */
  label: string;
  rows?: number;
}

export function SkeletonRows({ label, rows = 4 }: SkeletonProps) {
  const [isLong, setLong] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setLong(true), LONG_MS);
    return () => clearTimeout(timer);
  }, []);
  return (
    <div role="status" className={styles.rows}>
      {isLong ? (
        <p className={styles.long}>{label} takes longer than it should. If nothing comes, reload the page.</p>
      ) : (
        <span className="visually-hidden">{label}</span>
      )}
      {Array.from({ length: rows }, (_, row) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the rows are all alike and never move
        <div key={row} className={styles.row} aria-hidden="true">
          <span className={styles.mark} />
          <span className={styles.line} />
          <span className={styles.side} />
        </div>
      ))}
    </div>
  );
}

/** In the place of a line of text or a heading. */
export function SkeletonText({ size = "md" }: { size?: "md" | "xl" }) {
  return <span className={size === "xl" ? styles.heading : styles.text} aria-hidden="true" />;
}
