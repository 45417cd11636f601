/** Grey shapes in the place of what is being loaded, and one sentence for those who can't see them. */
import styles from "./skeleton.module.css";

interface SkeletonProps {
  /** What is being loaded: "Loading runs". */
  label: string;
  rows?: number;
}

export function SkeletonRows({ label, rows = 4 }: SkeletonProps) {
  return (
    <div role="status" className={styles.rows}>
      <span className="visually-hidden">{label}</span>
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
