/** What can be saved and may not be meant, all in one place: not every field is on the page. */
import { Link } from "@tanstack/react-router";
import styles from "./editor.module.css";
import { FieldLink } from "./field-link.tsx";
import type { FieldWarning } from "./use-telling.ts";

export function Warnings({ warnings }: { warnings: readonly FieldWarning[] }) {
  if (warnings.length === 0) return null;
  return (
    <section className={styles.warnings} aria-label="Worth a look">
      <p>
        <strong>Worth a look.</strong> It can be saved like this.
      </p>
      <ul>
        {warnings.map(({ field, message, secret }) => (
          <li key={`${field} ${message}`}>
            <FieldLink path={field} /> {message}
            {secret !== undefined && (
              <>
                {" "}
                <Link to="/secrets" search={{ set: secret }}>
                  Set {secret}
                </Link>
              </>
            )}
          </li>
        ))}
      </ul>
    </section>
  );
}
