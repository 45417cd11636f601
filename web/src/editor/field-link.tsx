/** Leads to a field of the form by its path, and says in words which one it is. */
import type { ReactNode } from "react";
import styles from "./editor.module.css";

interface FieldLinkProps {
  /** In the definition: `triggers[0].cron`. */
  path: string;
  children?: ReactNode;
}

/** Where the form has no such field, as while JSON is shown, it does nothing. */
export function FieldLink({ path, children = pathWords(path) }: FieldLinkProps) {
  return (
    <button type="button" className={styles.fieldLink} title={path} onClick={() => leadTo(path)}>
      {children}
    </button>
  );
}

function leadTo(path: string) {
  const field = document.querySelector<HTMLElement>(`[data-path="${CSS.escape(path)}"]`);
  field?.scrollIntoView({ block: "center" });
  field?.focus({ preventScroll: true });
}

/** `triggers[0].catch_up` as `Trigger 1, catch up`. */
export function pathWords(path: string): string {
  const words = path
    .replace(/(\w+?)(?:ies|s)?\[(\d+)\]/g, (all, stem: string, place: string) => {
      const one = all.startsWith(`${stem}ies[`) ? `${stem}y` : stem;
      return `${one} ${Number(place) + 1}`;
    })
    .replaceAll("_", " ")
    .replace(/\burl$/, "address")
    .split(".")
    .join(", ");
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}`;
}
