/** A part of the editor that is closed at first, and says its present value in a line. It opens for what is told of it. */
import { type ReactNode, useId, useState } from "react";
import { ChevronRightIcon } from "../ui/icons.tsx";
import styles from "./editor.module.css";
import { useIsTold } from "./faults.tsx";

interface SectionProps {
  title: string;
  /** What is set, in a line. */
  value: string;
  /** The keys of the definition that it has. */
  paths: readonly string[];
  children: ReactNode;
}

export function Section({ title, value, paths, children }: SectionProps) {
  const id = useId();
  const isTold = useIsTold(paths);
  const [isOpened, setOpened] = useState(false);
  const isOpen = isOpened || isTold;
  return (
    <section className={styles.section}>
      <h2 className={styles.sectionHead}>
        <button type="button" aria-expanded={isOpen} aria-controls={id} onClick={() => setOpened(!isOpen)}>
          <span className={styles.chevron} data-open={isOpen}>
            <ChevronRightIcon />
          </span>
          <span className={styles.sectionTitle}>{title}</span>
          <span className={styles.sectionValue}>{value}</span>
        </button>
      </h2>
      <div id={id} hidden={!isOpen} className={styles.sectionBody}>
        {isOpen && children}
      </div>
    </section>
  );
}

/** Fields side by side where there is room. */
export function Row({ children }: { children: ReactNode }) {
  return <div className={styles.row}>{children}</div>;
}
