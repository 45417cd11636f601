/** The rules for all routines, each in a sentence. */
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import type { NotificationRule } from "../client/generated.ts";
import { destinationOf, destinationWords } from "../editor/notifications.ts";
import { Button } from "../ui/button.tsx";
import { Card, List } from "../ui/card.tsx";
import { ConfirmDialog, preloadDialogs } from "../ui/dialog.tsx";
import { EmptyState } from "../ui/empty-state.tsx";
import { Entry } from "../ui/entry.tsx";
import { ErrorState } from "../ui/error-state.tsx";
import { PageSection } from "../ui/page-head.tsx";
import { SkeletonRows } from "../ui/skeleton.tsx";
import { rulesQuery, useChangeRules } from "./notification-queries.ts";
import { ruleSentence } from "./notification-words.ts";
import styles from "./notifications.module.css";
import { RuleDialog } from "./rule-dialog.tsx";
import { SigningKey } from "./signing-key.tsx";

export function Rules() {
  const { data, isError, error, refetch } = useQuery(rulesQuery);
  const [edited, setEdited] = useState<NotificationRule | "new" | null>(null);
  return (
    <PageSection id="rules" title="Rules for all routines">
      {data === undefined && (
        <Card>
          {isError ? (
            <ErrorState title="The rules could not be loaded" error={error} onRetry={() => void refetch()} />
          ) : (
            <SkeletonRows label="Loading rules" rows={1} />
          )}
        </Card>
      )}
      {data?.rules.length === 0 && (
        <Card>
          <EmptyState title="Nobody is told of all routines">
            <p>Add a rule, so that what fails or is missed does not wait until somebody looks.</p>
          </EmptyState>
        </Card>
      )}
      {data !== undefined && data.rules.length > 0 && (
        <List label="Rules">
          {data.rules.map((rule) => (
            <RuleRow key={JSON.stringify(rule)} rule={rule} onEdit={() => setEdited(rule)} />
          ))}
        </List>
      )}
      {data !== undefined && (
        <p className={styles.add}>
          <Button onPointerEnter={preloadDialogs} onFocus={preloadDialogs} onClick={() => setEdited("new")}>
            Add a rule
          </Button>
        </p>
      )}
      <RuleDialog
        key={JSON.stringify(edited)}
        isOpen={edited !== null}
        onClose={() => setEdited(null)}
        rule={edited === "new" ? null : edited}
      />
    </PageSection>
  );
}

function RuleRow({ rule, onEdit }: { rule: NotificationRule; onEdit: () => void }) {
  const [isRemoving, setRemoving] = useState(false);
  const changing = useChangeRules();
  const { by, address } = destinationOf(rule);
  return (
    <Entry
      head={ruleSentence(rule)}
      meta={[`${destinationWords[by]} to ${address}`]}
      actions={
        <>
          <Button size="sm" aria-label={`Change the rule for ${address}`} onClick={onEdit}>
            Change…
          </Button>
          <Button
            size="sm"
            variant="ghost"
            aria-label={`Remove the rule for ${address}`}
            onClick={() => setRemoving(true)}
          >
            Remove…
          </Button>
        </>
      }
    >
      {rule.webhook !== undefined && <SigningKey webhook={rule.webhook} />}
      <ConfirmDialog
        isOpen={isRemoving}
        onOpenChange={setRemoving}
        title="Remove this rule?"
        description={ruleSentence(rule)}
        keepLabel="Keep it"
        confirmLabel="Remove rule"
        isBusy={changing.isPending}
        error={changing.error}
        onConfirm={() =>
          changing.mutate((rules) => rules.filter((one) => JSON.stringify(one) !== JSON.stringify(rule)))
        }
      />
    </Entry>
  );
}
