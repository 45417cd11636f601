/** What came to a routine, whether or not it started a run, and why. */
import { useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { Delivery, DeliveryOutcome } from "#protocol/delivery.ts";
import type { Occurrence } from "#protocol/occurrence.ts";
import { routineDeliveriesQuery } from "../deliveries/delivery-queries.ts";
import { deliveryLine, SOURCE_TEXTS } from "../deliveries/delivery-words.ts";
import { Replay } from "../deliveries/replay.tsx";
import { Reasons } from "../deliveries/verdicts.tsx";
import { originTerms } from "../format/origin.ts";
import { REASON_TEXTS, TRIGGER_LABELS } from "../format/status.ts";
import { occurrencesQuery } from "../queries.ts";
import { Plain } from "../session/text/plain.tsx";
import { visibleLine } from "../session/text/visible-text.ts";
import { LabelBadge, OutcomeBadge } from "../ui/badge.tsx";
import { Button } from "../ui/button.tsx";
import { Card, List, ListRow, rowLinkClass } from "../ui/card.tsx";
import { EmptyState } from "../ui/empty-state.tsx";
import { ErrorNotice, ErrorState } from "../ui/error-state.tsx";
import { InboxIcon } from "../ui/icons.tsx";
import { SkeletonRows } from "../ui/skeleton.tsx";
import { Time } from "../ui/time.tsx";
import styles from "./activity.module.css";
import { activityOf, shorterOf } from "./activity-items.ts";
import { OpenSession } from "./open-session.tsx";
import rows from "./rows.module.css";

export function Activity({ id }: { id: string }) {
  const occurrences = useInfiniteQuery(occurrencesQuery(id));
  const deliveries = useInfiniteQuery(routineDeliveriesQuery(id));
  const error = occurrences.error ?? deliveries.error;
  function retry() {
    void occurrences.refetch();
    void deliveries.refetch();
  }
  if (occurrences.data === undefined || deliveries.data === undefined) {
    return (
      <Card>
        {error === null ? (
          <SkeletonRows label="Loading what came" />
        ) : (
          <ErrorState
            title="What came could not be loaded"
            error={error}
            onRetry={retry}
            isRetrying={occurrences.isFetching || deliveries.isFetching}
          />
        )}
      </Card>
    );
  }
  const came = { items: occurrences.data.pages.flatMap((page) => page.data), hasMore: occurrences.hasNextPage };
  const sent = { items: deliveries.data.pages.flatMap((page) => page.data), hasMore: deliveries.hasNextPage };
  const items = activityOf(id, came, sent);
  const shorter = shorterOf(came, sent);
  return (
    <div className={styles.activity}>
      {error !== null && <ErrorNotice title="This may be out of date." error={error} />}
      {items.length === 0 && shorter === null && (
        <Card>
          <EmptyState icon={<InboxIcon size={22} />} title="Nothing has happened yet">
            <p>
              Whatever comes to its triggers leaves a record here, with what was made of it and why: also what did not
              match.
            </p>
          </EmptyState>
        </Card>
      )}
      {items.length > 0 && (
        <List label="activity">
          {items.map((item) =>
            item.kind === "occurrence" ? (
              <OccurrenceRow key={item.occurrence.id} occurrence={item.occurrence} deliveryId={item.deliveryId} />
            ) : (
              <UnmatchedRow key={item.delivery.id} delivery={item.delivery} outcomes={item.outcomes} />
            ),
          )}
        </List>
      )}
      {shorter !== null && (
        <div className={styles.more}>
          <Button
            isBusy={occurrences.isFetchingNextPage || deliveries.isFetchingNextPage}
            onClick={() => void (shorter === "occurrences" ? occurrences : deliveries).fetchNextPage()}
          >
            Load more
          </Button>
        </div>
      )}
    </div>
  );
}

function OccurrenceRow({ occurrence, deliveryId }: { occurrence: Occurrence; deliveryId: string | null }) {
  const { trigger, reason, outcome, at, run_id: runId } = occurrence;
  return (
    <ListRow className={rows.row}>
      <div className={rows.badge}>
        <OutcomeBadge outcome={outcome} look="plain" />
      </div>
      <div className={rows.main}>
        <p>
          <Plain text={trigger.summary} />
        </p>
        <p className={rows.meta}>
          <span>{TRIGGER_LABELS[trigger.type]}</span>
          {originTerms(trigger).map((term) => (
            <span key={term}>{term}</span>
          ))}
          {/* That nothing stood in the way of a run is no reason that anybody asks for. */}
          {(reason !== "admitted" || occurrence.detail !== null) && (
            <span>{occurrence.detail ?? REASON_TEXTS[reason]}</span>
          )}
          {deliveryId !== null && <DeliveryLink id={deliveryId} />}
        </p>
      </div>
      <div className={rows.side}>
        <Time at={at} />
        {runId !== null && <OpenSession runId={runId} className={rowLinkClass} />}
      </div>
    </ListRow>
  );
}

function UnmatchedRow({ delivery, outcomes }: { delivery: Delivery; outcomes: DeliveryOutcome[] }) {
  return (
    <ListRow className={rows.row}>
      <div className={rows.badge}>
        <LabelBadge text="No match" tone="neutral" look="plain" />
      </div>
      <div className={rows.main}>
        <p>
          <Plain text={visibleLine(deliveryLine(delivery))} />
        </p>
        <div className={styles.verdicts}>
          {outcomes.map((outcome) => (
            <Reasons key={outcome.trigger_id} outcome={outcome} />
          ))}
        </div>
        <p className={rows.meta}>
          <span>{SOURCE_TEXTS[delivery.source]}</span>
          <DeliveryLink id={delivery.id} />
        </p>
      </div>
      <div className={rows.side}>
        <Time at={delivery.received_at} />
        <Replay id={delivery.id} label="Replay…" isSmall />
      </div>
    </ListRow>
  );
}

/** In front of the row's own link. */
function DeliveryLink({ id }: { id: string }) {
  return (
    <Link to="/deliveries/$id" params={{ id }} className={styles.delivery}>
      What arrived
    </Link>
  );
}
