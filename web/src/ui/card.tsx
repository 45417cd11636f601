/** A panel, and the rows of a list in one. */
import { type ComponentProps, createContext, type ReactNode, useContext } from "react";
import styles from "./card.module.css";
import { classNames } from "./class-names.ts";

export function Card({ className, ...rest }: ComponentProps<"div">) {
  return <div {...rest} className={classNames(styles.card, className)} />;
}

/** @param props.label what the list is of, for those who can't see where it stands. */
export function List({ label, children }: { label: string; children: ReactNode }) {
  return (
    // biome-ignore lint/a11y/noRedundantRoles: without its marks a list is none to Safari
    <ul role="list" aria-label={label} className={classNames(styles.card, styles.list)}>
      {children}
    </ul>
  );
}

/** Whether what is around a row is the list's item already. */
export const RowInItem = createContext(false);

/** A row whose one link (class `row-link`, by `rowLinkClass`) can be hit anywhere in it. */
export function ListRow({ children, className }: { children: ReactNode; className?: string | undefined }) {
  const Row = useContext(RowInItem) ? "div" : "li";
  return <Row className={classNames(styles.row, className)}>{children}</Row>;
}

export const rowLinkClass = styles.rowLink ?? "";
/** Of the row around it. */
export const rowClass = styles.row ?? "";
