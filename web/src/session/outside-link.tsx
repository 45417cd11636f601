/** Leads to another place in a tab of its own; the text alone where no place is known. */
import type { ReactNode } from "react";

export function OutsideLink({ to, children }: { to: string | null; children: ReactNode }) {
  if (to === null) return children;
  return (
    <a href={to} target="_blank" rel="noreferrer">
      {children}
    </a>
  );
}
