/** The frame of a page: its main element, and its title in the browser's tab. */
import { type ReactNode, useEffect } from "react";
import styles from "./shell.module.css";

interface PageProps {
  /** For the tab: "docs-sync". */
  title: string;
  children: ReactNode;
}

export function Page({ title, children }: PageProps) {
  usePageTitle(title);
  return <main className={styles.page}>{children}</main>;
}

/** For a page that brings its own main element. */
export function usePageTitle(title: string): void {
  useEffect(() => {
    document.title = title === "Reveille" ? title : `${title} · Reveille`;
  }, [title]);
}
