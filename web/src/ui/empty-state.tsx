/** Where a list is empty: what would be here, and how it comes to be. */
import type { ReactNode } from "react";
import styles from "./state.module.css";

interface EmptyStateProps {
  title: string;
  icon?: ReactNode;
  children?: ReactNode;
}

export function EmptyState({ title, icon, children }: EmptyStateProps) {
  return (
    <div className={styles.state}>
      {icon !== undefined && <span className={styles.icon}>{icon}</span>}
      <p className={styles.title}>{title}</p>
      {children !== undefined && <div className={styles.text}>{children}</div>}
    </div>
  );
}
