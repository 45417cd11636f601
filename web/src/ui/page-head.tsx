/** What a page begins with: its name, what it is for, and the one thing that is done there most. */
import type { ReactNode } from "react";
import styles from "./page-head.module.css";

interface PageHeadProps {
  title: ReactNode;
  lead?: ReactNode;
  /** Buttons or links. */
  actions?: ReactNode;
}

export function PageHead({ title, lead, actions }: PageHeadProps) {
  return (
    <div className={styles.head}>
      <div className={styles.top}>
        <h1 className={styles.title}>{title}</h1>
        {actions !== undefined && <div className={styles.actions}>{actions}</div>}
      </div>
      {lead !== undefined && <p className={styles.lead}>{lead}</p>}
    </div>
  );
}

/** A part of a page, with a heading of its own. */
export function PageSection({ id, title, children }: { id: string; title: string; children: ReactNode }) {
  return (
    <section className={styles.section} aria-labelledby={id}>
      <h2 className={styles.heading} id={id}>
        {title}
      </h2>
      {children}
    </section>
  );
}
