/** What can be saved and may not be meant, all in one place: not every field is on the page. */
import type { FieldFault } from "../problem.ts";
import styles from "./editor.module.css";

export function Warnings({ warnings }: { warnings: readonly FieldFault[] }) {
  if (warnings.length === 0) return null;
  return (
    <section className={styles.warnings} aria-label="Worth a look">
      <p>
        <strong>Worth a look.</strong> It can be saved like this.
      </p>
      <ul>
        {warnings.map(({ field, message }) => (
          <li key={`${field} ${message}`}>
            <code>{field}</code> {message}
          </li>
        ))}
      </ul>
    </section>
  );
}
