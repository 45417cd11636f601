/** The runs of a session before its latest: how each ended, what it cost, and the way to where it begins. */
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { Session } from "#protocol/session.ts";
import { formatCost } from "../format/amounts.ts";
import { RUN_STATUS_LABELS } from "../format/status.ts";
import { runQuery } from "../queries.ts";
import styles from "./details-panel.module.css";
import { Plain } from "./text/plain.tsx";

/** Each is read for itself; older ones are found in the transcript. */
const MOST = 10;

type RunOfSession = Session["runs"][number];

/** @param props.runs of the session, the latest among them, oldest first. */
export function EarlierRuns({ runs }: { runs: readonly RunOfSession[] }) {
  const earlier = runs.slice(0, -1);
  const left = Math.max(0, earlier.length - MOST);
  return (
    <section className={styles.part} aria-label="Earlier runs">
      <h2 className={styles.heading}>Earlier runs</h2>
      <dl className={styles.facts}>
        {earlier.slice(left).map((run, place) => (
          <EarlierRun key={run.id} run={run} number={left + place + 1} />
        ))}
      </dl>
      {left > 0 && <p className={styles.aside}>Those before these are in the transcript.</p>}
    </section>
  );
}

function EarlierRun({ run: { id, status }, number }: { run: RunOfSession; number: number }) {
  // It has ended, so nothing of it changes but what people think of it.
  const { data: run } = useQuery({ ...runQuery(id), staleTime: Number.POSITIVE_INFINITY });
  return (
    <div className={styles.fact}>
      <dt className={styles.name}>
        <Link to="/runs/$id" params={{ id }}>
          Run {number}
        </Link>
      </dt>
      <dd>
        {RUN_STATUS_LABELS[status].text}
        {run !== undefined && (
          <>
            , {formatCost(run.usage.cost_usd)}
            <span className={styles.linked}>
              <Plain text={run.trigger.summary} />
            </span>
          </>
        )}
      </dd>
    </div>
  );
}
