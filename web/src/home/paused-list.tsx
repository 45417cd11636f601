/** The routines that somebody has paused: as it is wanted, and easily forgotten. */
import { Link } from "@tanstack/react-router";
import type { ListedRoutine } from "#protocol/routine.ts";
import { visibleLine } from "../session/text/visible-text.ts";
import { List, ListRow, rowLinkClass } from "../ui/card.tsx";
import styles from "./home.module.css";

export function PausedList({ routines }: { routines: readonly ListedRoutine[] }) {
  return (
    <List label="Paused">
      {routines.map(({ id, name, paused_reason: reason }) => (
        <ListRow key={id}>
          <Link to="/routines/$id" params={{ id }} className={rowLinkClass}>
            {name}
          </Link>
          <p className={styles.text}>{reason === null ? "No reason was given." : visibleLine(reason)}</p>
        </ListRow>
      ))}
    </List>
  );
}
