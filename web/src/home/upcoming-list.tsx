/** The routines that a schedule wakes next. */
import { Link } from "@tanstack/react-router";
import type { ListedRoutine } from "#protocol/routine.ts";
import { List, ListRow, rowLinkClass } from "../ui/card.tsx";
import { OWN_ZONE, Time, zonedTime } from "../ui/time.tsx";
import styles from "./home.module.css";
import { upcomingOf } from "./upcoming.ts";

export function UpcomingList({ routines }: { routines: readonly ListedRoutine[] }) {
  const upcoming = upcomingOf(routines);
  if (upcoming.length === 0) return <p className={styles.none}>No schedule waits for its time.</p>;
  return (
    <List label="Next by schedule">
      {upcoming.map(({ id, name, at, timezone }) => (
        <ListRow key={id} className={styles.upcoming}>
          <Link to="/routines/$id" params={{ id }} className={rowLinkClass}>
            {name}
          </Link>
          <span className={styles.aside}>
            {zonedTime(at)}
            {timezone !== null && timezone !== OWN_ZONE && <>; there {zonedTime(at, timezone)}</>}
          </span>
          <Time at={at} />
        </ListRow>
      ))}
    </List>
  );
}
