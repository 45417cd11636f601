/** A run in a list: how it stands, what came of it, and the way to its session. */
import { Link } from "@tanstack/react-router";
import type { ListedRun } from "#protocol/run.ts";
import { formatCost } from "../format/amounts.ts";
import { durationBetween } from "../format/duration.ts";
import { originTerms } from "../format/origin.ts";
import { NO_EVIDENCE_LABEL, RESULT_LABELS, runHeadline, TRIGGER_LABELS, VERDICT_LABELS } from "../format/status.ts";
import { visibleLine } from "../session/text/visible-text.ts";
import { Badge, RunStatusBadge } from "../ui/badge.tsx";
import { ListRow, rowLinkClass } from "../ui/card.tsx";
import { classNames } from "../ui/class-names.ts";
import { BranchIcon, ClockIcon } from "../ui/icons.tsx";
import { Elapsed, Time } from "../ui/time.tsx";
import styles from "./rows.module.css";

interface RunRowProps {
  run: ListedRun;
  /** In a list across routines. */
  showsRoutine?: boolean;
}

export function RunRow({ run, showsRoutine = false }: RunRowProps) {
  return (
    <ListRow className={styles.row}>
      <div className={styles.badge}>
        <RunStatusBadge status={run.status} runner={run.runner} look="plain" />
      </div>
      <div className={styles.main}>
        {isSessionDeleted(run) ? (
          <span className={styles.headline}>{visibleLine(runHeadline(run))}</span>
        ) : (
          <Link
            to="/sessions/$id"
            params={{ id: run.session_id }}
            className={classNames(rowLinkClass, styles.headline)}
            title={visibleLine(runHeadline(run))}
          >
            {visibleLine(runHeadline(run))}
          </Link>
        )}
        <p className={styles.meta}>
          {showsRoutine && <span className={styles.strong}>{run.routine.name}</span>}
          <span>{TRIGGER_LABELS[run.trigger.type]}</span>
          {originTerms(run.trigger).map((term) => (
            <span key={term}>{term}</span>
          ))}
          {run.attempt > 1 && <span>Attempt {run.attempt}</span>}
          {isSessionDeleted(run) && <span>Session deleted</span>}
          {run.demo_model && <span>Demo model</span>}
          {run.evidence.branches_pushed.map(({ repository, branch }) => (
            <span key={`${repository} ${branch}`} className={styles.branch}>
              <BranchIcon size={13} />
              <code>{branch}</code>
            </span>
          ))}
          {"verdict" in run && run.verdict !== undefined && (
            <Badge tone={VERDICT_LABELS[run.verdict.verdict].tone}>{VERDICT_LABELS[run.verdict.verdict].text}</Badge>
          )}
          {isEvidenceMissing(run) && <Badge tone={NO_EVIDENCE_LABEL.tone}>{NO_EVIDENCE_LABEL.text}</Badge>}
          {tellsMore(run) && <Badge tone={RESULT_LABELS[run.result].tone}>{RESULT_LABELS[run.result].text}</Badge>}
        </p>
      </div>
      <div className={styles.side}>
        <Time at={run.timings.queued_at} />
        <span className={styles.length}>
          {run.usage.cost_usd > 0 && <span>{formatCost(run.usage.cost_usd)}</span>}
          <ClockIcon size={13} />
          <RunLength run={run} />
        </span>
      </div>
    </ListRow>
  );
}

/** The status tells that a run went well; a result of another kind is news. */
function tellsMore(run: ListedRun): run is ListedRun & { result: "blocked" | "nothing_to_do" } {
  return run.result === "blocked" || run.result === "nothing_to_do";
}

function isEvidenceMissing(run: ListedRun): boolean {
  return "evidence_missing" in run && run.evidence_missing === true;
}

/** There is nothing left that the row could lead to. */
function isSessionDeleted(run: ListedRun): boolean {
  return "session_deleted" in run && run.session_deleted === true;
}

function RunLength({ run }: { run: ListedRun }) {
  const { queued_at, starting_at, finished_at } = run.timings;
  const since = starting_at ?? queued_at;
  return finished_at === null ? <Elapsed since={since} /> : <span>{durationBetween(since, finished_at)}</span>;
}
