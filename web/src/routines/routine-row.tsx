/** A routine in the list of all. */
import { Link } from "@tanstack/react-router";
import type { Repository } from "#protocol/repository.ts";
import type { ListedRoutine } from "#protocol/routine.ts";
import { plural } from "../format/amounts.ts";
import { repositoryName } from "../format/repository.ts";
import { RoutineStatusBadge, RunStatusBadge } from "../ui/badge.tsx";
import { ListRow, rowLinkClass } from "../ui/card.tsx";
import { RepositoryIcon } from "../ui/icons.tsx";
import { Time } from "../ui/time.tsx";
import styles from "./rows.module.css";

export function RoutineRow({ routine }: { routine: ListedRoutine }) {
  const { last_run: lastRun, next_fire_at: next } = routine;
  return (
    <ListRow className={styles.routine}>
      <div className={styles.main}>
        <p className={styles.name}>
          <Link to="/routines/$id" params={{ id: routine.id }} className={rowLinkClass}>
            {routine.name}
          </Link>
          {routine.status === "paused" && <RoutineStatusBadge status="paused" />}
        </p>
        <p className={styles.prompt}>{firstLine(routine.prompt)}</p>
      </div>
      <Repositories repositories={routine.repositories} />
      <div className={styles.last}>
        {lastRun === null ? (
          <span>Never ran</span>
        ) : (
          <>
            <RunStatusBadge status={lastRun.status} look="plain" />
            <Time at={lastRun.timings.queued_at} />
          </>
        )}
        {next !== null && (
          <span>
            Next <Time at={next} />
          </span>
        )}
      </div>
    </ListRow>
  );
}

/** How many are named; of more, the number is told. */
const SHOWN = 2;

function Repositories({ repositories }: { repositories: readonly Repository[] }) {
  const shown = repositories.length > SHOWN ? repositories.slice(0, SHOWN - 1) : repositories;
  const more = repositories.length - shown.length;
  return (
    <ul className={styles.repositories}>
      {shown.map(({ url, branch }) => (
        <li key={`${url} ${branch}`} className={styles.branch} title={url}>
          <RepositoryIcon size={13} />
          <span>{branch === undefined ? repositoryName(url) : `${repositoryName(url)} @ ${branch}`}</span>
        </li>
      ))}
      {more > 0 && <li>and {plural(more, "more", "more")}</li>}
    </ul>
  );
}

function firstLine(text: string): string {
  return text.trim().split("\n", 1)[0] ?? "";
}
