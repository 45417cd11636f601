/** What model calls may cost in a month, of all routines and of those that share a tag; and which runs wait for money. */
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import type { SharedBudget } from "#protocol/shared-budget.ts";
import { RunRow } from "../routines/run-row.tsx";
import { CoinsIcon } from "../shell/navigation-icons.tsx";
import { Page } from "../shell/page.tsx";
import { Button } from "../ui/button.tsx";
import { Card, List } from "../ui/card.tsx";
import { preloadDialogs } from "../ui/dialog.tsx";
import { EmptyState } from "../ui/empty-state.tsx";
import { ErrorNotice, ErrorState } from "../ui/error-state.tsx";
import { PageHead, PageSection } from "../ui/page-head.tsx";
import { SkeletonRows } from "../ui/skeleton.tsx";
import { budgetsQuery, waitingForBudgetQuery } from "./budget-queries.ts";
import { BudgetRow } from "./budget-row.tsx";
import { budgetTitle } from "./budget-words.ts";
import styles from "./budgets.module.css";
import { SetBudgetDialog } from "./set-budget-dialog.tsx";

export function BudgetsPage() {
  const [isSetting, setSetting] = useState(false);
  return (
    <Page title="Budgets">
      <PageHead
        title="Budgets"
        lead="What model calls may cost in a calendar month (UTC), of all routines together and of those that share a tag. A routine's own limits stand in its editor."
        actions={
          <Button
            variant="primary"
            onPointerEnter={preloadDialogs}
            onFocus={preloadDialogs}
            onClick={() => setSetting(true)}
          >
            Set a budget
          </Button>
        }
      />
      <Budgets />
      <WaitingRuns />
      <SetBudgetDialog isOpen={isSetting} onClose={() => setSetting(false)} />
    </Page>
  );
}

function Budgets() {
  const { data: budgets, isError, error, refetch, isFetching } = useQuery(budgetsQuery);
  if (budgets === undefined) {
    return (
      <Card>
        {isError ? (
          <ErrorState title="The budgets could not be loaded" error={error} onRetry={refetch} isRetrying={isFetching} />
        ) : (
          <SkeletonRows label="Loading budgets" rows={2} />
        )}
      </Card>
    );
  }
  return (
    <>
      {isError && <ErrorNotice title="This may be out of date." error={error} />}
      {budgets.length === 0 ? <NoBudgets /> : <BudgetList budgets={budgets} />}
    </>
  );
}

function NoBudgets() {
  return (
    <Card>
      <EmptyState icon={<CoinsIcon size={22} />} title="No budgets yet">
        <p>
          Nothing limits what all routines cost together. With a budget, runs wait when it is spent, and go on when it
          is raised or the next month begins.
        </p>
      </EmptyState>
    </Card>
  );
}

function BudgetList({ budgets }: { budgets: readonly SharedBudget[] }) {
  return (
    <List label="budgets">
      {budgets.map((budget) => (
        <BudgetRow key={budgetTitle(budget)} budget={budget} />
      ))}
    </List>
  );
}

/** A run says itself which budget it waits for: a shared one, or one of its routine's limits. */
function WaitingRuns() {
  const { data, isError, error } = useQuery(waitingForBudgetQuery);
  if (isError) return <ErrorNotice title="Which runs wait for money could not be loaded." error={error} />;
  if (data === undefined || (data.runs.length === 0 && !data.hasMore)) return null;
  return (
    <PageSection id="waiting" title="Runs that wait for money">
      {data.runs.length > 0 && (
        <List label="Runs that wait for money">
          {data.runs.map((run) => (
            <RunRow key={run.id} run={run} showsRoutine />
          ))}
        </List>
      )}
      {data.hasMore && <p className={styles.quiet}>More runs wait than are looked through here: see Runs.</p>}
    </PageSection>
  );
}
