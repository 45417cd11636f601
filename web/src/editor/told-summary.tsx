/** All that is told of a draft in one place, for what has no field on the page, and for those who don't see the page. */
import { useEffect, useRef } from "react";
import type { FieldFault, Problem } from "../problem.ts";
import { ErrorNotice } from "../ui/error-state.tsx";
import styles from "./editor.module.css";
import { FieldLink } from "./field-link.tsx";

interface ToldSummaryProps {
  problem: Problem;
  /** What is left of it. */
  issues: readonly FieldFault[];
  isNew: boolean;
}

export function ToldSummary({ problem, issues, isNew }: ToldSummaryProps) {
  const summary = useRef<HTMLDivElement>(null);
  // Whoever saved stands at the other end of the page.
  useEffect(() => summary.current?.focus(), []);
  if (issues.length === 0 && problem.issues.length > 0) return null;
  if (issues.length === 0)
    return <ErrorNotice title={isNew ? "It was not created." : "It was not saved."} error={problem} />;
  return (
    <div ref={summary} tabIndex={-1} className={styles.summary} role="alert">
      <p>
        <strong>It was not saved.</strong> {issues.length === 1 ? "One thing stands" : `${issues.length} things stand`}{" "}
        against it:
      </p>
      <ul>
        {issues.map(({ field, message }) => (
          <li key={`${field} ${message}`}>
            <FieldLink path={field} /> {message}
          </li>
        ))}
      </ul>
    </div>
  );
}
