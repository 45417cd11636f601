/** A routine in the list of all. */
import { Link } from "@tanstack/react-router";
import type { Routine } from "#protocol/routine.ts";
import type { Run } from "#protocol/run.ts";
import { repositoryName } from "../format/repository.ts";
import { RoutineStatusBadge, RunStatusBadge } from "../ui/badge.tsx";
import { ListRow, rowLinkClass } from "../ui/card.tsx";
import { RepositoryIcon } from "../ui/icons.tsx";
import { Time } from "../ui/time.tsx";
import styles from "./rows.module.css";

interface RoutineRowProps {
  routine: Routine;
  /** Its newest run, when that is among the recent ones. */
  lastRun: Run | undefined;
}

export function RoutineRow({ routine, lastRun }: RoutineRowProps) {
  return (
    <ListRow className={styles.row}>
      <div className={styles.main}>
        <p className={styles.name}>
          <Link to="/routines/$id" params={{ id: routine.id }} className={rowLinkClass}>
            {routine.name}
          </Link>
          {routine.status === "paused" && <RoutineStatusBadge status="paused" />}
        </p>
        <p className={styles.prompt}>{firstLine(routine.prompt)}</p>
        {routine.repositories.length > 0 && (
          <p className={styles.meta}>
            {routine.repositories.map(({ url, branch }) => (
              <span key={`${url} ${branch}`} className={styles.branch}>
                <RepositoryIcon size={13} />
                {repositoryName(url)}
                {branch !== undefined && <> @ {branch}</>}
              </span>
            ))}
          </p>
        )}
      </div>
      <div className={styles.side}>
        {lastRun === undefined ? (
          <span>No recent run</span>
        ) : (
          <>
            <RunStatusBadge status={lastRun.status} />
            <span className={styles.sideDetail}>
              <Time at={lastRun.timings.queued_at} />
            </span>
          </>
        )}
      </div>
    </ListRow>
  );
}

function firstLine(text: string): string {
  return text.trim().split("\n", 1)[0] ?? "";
}
