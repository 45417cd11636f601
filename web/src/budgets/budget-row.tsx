/** One shared budget: what of it is spent and reserved, and the ways to change it. */
import { useState } from "react";
import type { SharedBudget } from "#protocol/shared-budget.ts";
import { actorWords } from "../format/actor.ts";
import { formatCost } from "../format/amounts.ts";
import { Badge } from "../ui/badge.tsx";
import { Button } from "../ui/button.tsx";
import { classNames } from "../ui/class-names.ts";
import { ConfirmDialog, preloadDialogs } from "../ui/dialog.tsx";
import { Entry } from "../ui/entry.tsx";
import { Time } from "../ui/time.tsx";
import { useRemoveBudget } from "./budget-queries.ts";
import { budgetTitle, isClose, isSpent } from "./budget-words.ts";
import styles from "./budgets.module.css";
import { SetBudgetDialog } from "./set-budget-dialog.tsx";

export function BudgetRow({ budget }: { budget: SharedBudget }) {
  const { monthly_usd: most, spent_usd: spent, reserved_usd: reserved, begins_anew_at: anew } = budget;
  const title = budgetTitle(budget);
  return (
    <Entry
      head={
        <>
          <span>{title}</span>
          {isSpent(budget) ? (
            <Badge tone="danger">Spent</Badge>
          ) : (
            isClose(budget) && <Badge tone="warning">Nearly spent</Badge>
          )}
        </>
      }
      meta={[
        <>
          Begins anew <Time at={anew} />
        </>,
        <>
          Set <Time at={budget.updated_at} /> {actorWords(budget.updated_by)}
        </>,
      ]}
      actions={<Actions budget={budget} title={title} />}
    >
      <p className={styles.sums}>
        <strong>{formatCost(spent)}</strong> of {formatCost(most)} spent in {monthName(budget.month)}
        {reserved > 0 && <span className={styles.quiet}>, {formatCost(reserved)} reserved for calls that are on</span>}
      </p>
      <Bar {...{ spent, reserved, most }} isSpent={isSpent(budget)} />
      {isSpent(budget) && <p className={styles.spent}>Runs that it is for wait until it is raised, or begins anew.</p>}
    </Entry>
  );
}

/** What the sentence above it says. */
function Bar({
  spent,
  reserved,
  most,
  isSpent: isFull,
}: {
  spent: number;
  reserved: number;
  most: number;
  isSpent: boolean;
}) {
  const share = (usd: number) => Math.min(100, (usd / most) * 100);
  const used = share(spent);
  return (
    <svg className={styles.bar} viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true">
      <rect className={styles.track} width="100" height="4" />
      <rect className={styles.reserved} x={used} width={Math.min(100 - used, share(reserved))} height="4" />
      <rect className={classNames(styles.used, isFull && styles.full)} width={used} height="4" />
    </svg>
  );
}

function Actions({ budget, title }: { budget: SharedBudget; title: string }) {
  const [open, setOpen] = useState<"change" | "remove" | null>(null);
  const removing = useRemoveBudget();
  const warm = { onPointerEnter: preloadDialogs, onFocus: preloadDialogs };
  const close = () => setOpen(null);
  return (
    <>
      <Button {...warm} size="sm" aria-label={`Change: ${title}`} onClick={() => setOpen("change")}>
        {isClose(budget) ? "Raise…" : "Change…"}
      </Button>
      <Button {...warm} size="sm" variant="ghost" aria-label={`Remove: ${title}`} onClick={() => setOpen("remove")}>
        Remove…
      </Button>
      <SetBudgetDialog isOpen={open === "change"} onClose={close} budget={budget} />
      <ConfirmDialog
        isOpen={open === "remove"}
        onOpenChange={close}
        title="Remove this budget?"
        description={`${title}: no budget stops them then, and runs that wait for it go on. It can be set again; what they have spent this month counts then too.`}
        keepLabel="Keep"
        confirmLabel="Remove budget"
        isBusy={removing.isPending}
        error={removing.isError ? removing.error : undefined}
        onConfirm={() => removing.mutate(scopeOf(budget), { onSuccess: close })}
      />
    </>
  );
}

function scopeOf(budget: SharedBudget) {
  return budget.scope === "instance"
    ? ({ scope: "instance" } as const)
    : ({ scope: "tag", tag: budget.tag, value: budget.value } as const);
}

/** @param month as `2026-11`, which is of UTC. */
function monthName(month: string): string {
  return monthNames.format(new Date(`${month}-01T00:00:00Z`));
}

const monthNames = new Intl.DateTimeFormat(undefined, { month: "long", year: "numeric", timeZone: "UTC" });
