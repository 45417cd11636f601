/** What led to a run, and what it has led to: the delivery that brought it, the runs before and after it in a chain. */
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import type { ListedRun, Run } from "#protocol/run.ts";
import { runLabel } from "../format/status.ts";
import { runQuery } from "../queries.ts";
import styles from "./details-panel.module.css";
import { wokenRunsQuery } from "./session-queries.ts";
import { Plain } from "./text/plain.tsx";

export function RunLinks({ run }: { run: Run }) {
  const { woken_by: wakerId, delivery_id: deliveryId } = run.trigger;
  const { data: waker } = useQuery({ ...runQuery(wakerId ?? ""), enabled: wakerId !== undefined });
  const { data: woken } = useQuery(wokenRunsQuery(run));
  const runs = woken?.data ?? [];
  if (wakerId === undefined && deliveryId === undefined && run.retry_of === undefined && runs.length === 0) return null;
  return (
    <section className={styles.part} aria-label="Before and after">
      <h2 className={styles.heading}>Before and after</h2>
      <dl className={styles.facts}>
        {deliveryId !== undefined && (
          <Linked name="Brought by">
            <Link to="/deliveries/$id" params={{ id: deliveryId }}>
              A delivery
            </Link>
          </Linked>
        )}
        {run.retry_of !== undefined && (
          <Linked name="Repeats">
            <Link to="/runs/$id" params={{ id: run.retry_of }}>
              An earlier run
            </Link>
          </Linked>
        )}
        {wakerId !== undefined && (
          <Linked name="Woken by">
            <Link to="/runs/$id" params={{ id: wakerId }}>
              <Plain text={waker?.routine.name ?? "Another run"} />
            </Link>
          </Linked>
        )}
        {runs.length > 0 && (
          <Linked name="Has woken">
            {runs.map((each) => (
              <Woken key={each.id} run={each} />
            ))}
          </Linked>
        )}
      </dl>
      {woken?.next_cursor != null && <p className={styles.aside}>More runs than these may have been woken by it.</p>}
    </section>
  );
}

function Woken({ run }: { run: ListedRun }) {
  return (
    <span className={styles.linked}>
      <Link to="/runs/$id" params={{ id: run.id }}>
        <Plain text={run.routine.name} />
      </Link>{" "}
      {runLabel(run).text}
    </span>
  );
}

function Linked({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div className={styles.fact}>
      <dt className={styles.name}>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
