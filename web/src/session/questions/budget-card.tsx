/** A run that waits because its money is spent: how much that is, and where to raise it. */
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { Run } from "#protocol/run.ts";
import { formatCost } from "../../format/amounts.ts";
import { waitingLine } from "../../format/status.ts";
import { routineQuery } from "../../queries.ts";
import { AlertIcon } from "../icons.tsx";
import styles from "./waiting-card.module.css";

export function BudgetCard({ run }: { run: Run }) {
  const { data: routine } = useQuery(routineQuery(run.routine_id));
  const limits = routine?.limits;
  return (
    <section className={styles.card} aria-label="Budget">
      <h2 className={styles.title}>
        <AlertIcon />
        The budget is spent
      </h2>
      <p className={styles.text}>
        {run.status === "waiting" && run.waiting.reason !== undefined && `${waitingLine(run.waiting)} `}
        This run has spent {formatCost(run.usage.cost_usd)}.{" "}
        {limits?.budget_usd != null && `A run of this routine may spend ${formatCost(limits.budget_usd)}. `}
        {limits?.monthly_budget_usd != null &&
          `All its runs together may spend ${formatCost(limits.monthly_budget_usd)} in a month (UTC). `}
        Raise the limit in{" "}
        <Link to="/routines/$id/edit" params={{ id: run.routine_id }}>
          the routine
        </Link>{" "}
        (<code>limits.budget_usd</code> or <code>limits.monthly_budget_usd</code>), or one that it shares under{" "}
        <Link to="/budgets">Budgets</Link>, and the run goes on by itself.
      </p>
    </section>
  );
}
