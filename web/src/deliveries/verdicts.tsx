/** What each trigger made of a delivery: whether it matched, filter by filter, and what followed. */
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { Delivery, DeliveryOutcome } from "#protocol/delivery.ts";
import { REASON_TEXTS } from "../format/status.ts";
import { routineQuery } from "../queries.ts";
import { OpenSession } from "../routines/open-session.tsx";
import { visibleLine } from "../session/text/visible-text.ts";
import { LabelBadge, OutcomeBadge } from "../ui/badge.tsx";
import { List, ListRow } from "../ui/card.tsx";
import { CheckIcon, CrossIcon } from "../ui/icons.tsx";
import styles from "./deliveries.module.css";

export function Verdicts({ delivery }: { delivery: Delivery }) {
  if (delivery.outcomes.length === 0) {
    return (
      <p className={styles.gone}>
        {delivery.status === "stored"
          ? "No trigger has looked at it yet."
          : "No trigger waits for what this source sends. A routine needs a trigger for this source and event."}
      </p>
    );
  }
  return (
    <List label="Verdicts">
      {delivery.outcomes.map((outcome) => (
        <ListRow key={`${outcome.trigger_id} ${outcome.occurrence_id}`}>
          <div className={styles.verdict}>
            <RoutineName id={outcome.routine_id} />
            <Verdict outcome={outcome} />
          </div>
        </ListRow>
      ))}
    </List>
  );
}

/** Of one trigger, without its routine's name. */
function Verdict({ outcome }: { outcome: DeliveryOutcome }) {
  const { matched, reason, run_id: runId } = outcome;
  return (
    <>
      <p className={styles.meta}>
        {outcome.outcome === null ? (
          <LabelBadge text={matched ? "Matched" : "Did not match"} tone="neutral" look="plain" />
        ) : (
          <OutcomeBadge outcome={outcome.outcome} look="plain" />
        )}
        {reason !== null && <span>{REASON_TEXTS[reason]}</span>}
        {runId !== null && <OpenSession runId={runId} />}
      </p>
      <Reasons outcome={outcome} />
    </>
  );
}

/** Why a trigger matched or did not, filter by filter. */
export function Reasons({ outcome: { why, filters } }: { outcome: DeliveryOutcome }) {
  // The filters beside it say the same, one by one.
  const isSaid = filters.some((filter) => filter.why === why);
  return (
    <>
      {why !== "" && !isSaid && <p className={styles.why}>{visibleLine(why)}</p>}
      {filters.length > 0 && (
        <ul className={styles.checks} aria-label="Filters">
          {filters.map((filter) => (
            <li key={`${filter.field} ${filter.operator} ${filter.why}`} data-matched={filter.matched}>
              {filter.matched ? <CheckIcon /> : <CrossIcon />}
              <span className="visually-hidden">{filter.matched ? "Matched: " : "Did not match: "}</span>
              <span>{visibleLine(filter.why)}</span>
            </li>
          ))}
        </ul>
      )}
    </>
  );
}

function RoutineName({ id }: { id: string }) {
  const { data: routine } = useQuery(routineQuery(id));
  return (
    <Link to="/routines/$id" params={{ id }} search={{ tab: "activity" }} className={styles.routine}>
      {routine?.name ?? "A routine"}
    </Link>
  );
}
