/** What to do while there is no routine. */
import { Link } from "@tanstack/react-router";
import { buttonClass } from "../ui/button.tsx";
import { EmptyState } from "../ui/empty-state.tsx";
import { SunriseIcon } from "../ui/icons.tsx";
import styles from "./no-routines.module.css";

/** @param props.isMain whether it is what the page is for: elsewhere another button is. */
export function NoRoutines({ isMain = false }: { isMain?: boolean }) {
  return (
    <EmptyState icon={<SunriseIcon size={22} />} title="No routines yet">
      <p>
        A routine is a prompt for an agent, the repositories that it works on, and what wakes it. Twelve templates are
        there to begin with. For repositories on GitHub, <Link to="/setup">set up an App</Link> first.
      </p>
      <p className={styles.begin}>
        <Link to="/routines/new" className={buttonClass(isMain ? "primary" : "secondary")}>
          Choose a template
        </Link>
      </p>
    </EmptyState>
  );
}
