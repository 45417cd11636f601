/** What happened to a routine, whether or not it started a run. */
import { useInfiniteQuery, useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import type { Occurrence } from "#protocol/occurrence.ts";
import { REASON_TEXTS, TRIGGER_LABELS } from "../format/status.ts";
import { originTerms } from "../format/triggers.ts";
import { occurrencesQuery, runQuery } from "../queries.ts";
import { Plain } from "../session/text/plain.tsx";
import { OutcomeBadge } from "../ui/badge.tsx";
import { Button } from "../ui/button.tsx";
import { ListRow, rowLinkClass } from "../ui/card.tsx";
import { EmptyState } from "../ui/empty-state.tsx";
import { InboxIcon } from "../ui/icons.tsx";
import { PagedList } from "../ui/paged-list.tsx";
import { Time } from "../ui/time.tsx";
import styles from "./rows.module.css";

export function Occurrences({ id }: { id: string }) {
  const occurrences = useInfiniteQuery(occurrencesQuery(id));
  return (
    <PagedList
      query={occurrences}
      noun="occurrences"
      empty={
        <EmptyState icon={<InboxIcon size={22} />} title="Nothing has happened yet">
          <p>Whatever its triggers wait for leaves a record here when it comes, with its outcome and the reason.</p>
        </EmptyState>
      }
      row={(occurrence) => <OccurrenceRow key={occurrence.id} occurrence={occurrence} />}
    />
  );
}

function OccurrenceRow({ occurrence }: { occurrence: Occurrence }) {
  return (
    <ListRow className={styles.row}>
      <div className={styles.badge}>
        <OutcomeBadge outcome={occurrence.outcome} look="plain" />
      </div>
      <div className={styles.main}>
        <p>
          <Plain text={occurrence.trigger.summary} />
        </p>
        <p className={styles.meta}>
          <span>{TRIGGER_LABELS[occurrence.trigger.type]}</span>
          {originTerms(occurrence.trigger).map((term) => (
            <span key={term}>{term}</span>
          ))}
          <span>{REASON_TEXTS[occurrence.reason]}</span>
        </p>
      </div>
      <div className={styles.side}>
        <Time at={occurrence.at} />
        {occurrence.run_id !== null && <OpenSession runId={occurrence.run_id} />}
      </div>
    </ListRow>
  );
}

/** An occurrence knows its run alone; the run knows its session. */
function OpenSession({ runId }: { runId: string }) {
  const navigate = useNavigate();
  const queryClient = useQueryClient();
  const opening = useMutation({
    mutationFn: () => queryClient.fetchQuery(runQuery(runId)),
    onSuccess: (run) => navigate({ to: "/sessions/$id", params: { id: run.session_id } }),
  });
  return (
    <Button
      variant="link"
      size="sm"
      className={rowLinkClass}
      isBusy={opening.isPending}
      onClick={() => opening.mutate()}
    >
      {opening.isError ? "Try again" : "Open session"}
    </Button>
  );
}
