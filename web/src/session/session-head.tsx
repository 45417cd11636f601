/** The head of a session's page: what it is, how its run stands, and what can be done with it. */
import { Link } from "@tanstack/react-router";
import type { Run } from "#protocol/run.ts";
import type { Session } from "#protocol/session.ts";
import { formatDuration } from "../format/duration.ts";
import { originTerms } from "../format/origin.ts";
import { isActiveStatus } from "../format/status.ts";
import { Badge, RunStatusBadge } from "../ui/badge.tsx";
import { Button } from "../ui/button.tsx";
import { ChevronLeftIcon } from "../ui/icons.tsx";
import { SkeletonText } from "../ui/skeleton.tsx";
import { Elapsed, Time } from "../ui/time.tsx";
import { PanelIcon } from "./icons.tsx";
import { SessionMenu } from "./menu/session-menu.tsx";
import { RetryRun } from "./retry-run.tsx";
import { wholeDurationMs } from "./run-durations.ts";
import styles from "./session-head.module.css";
import { Plain } from "./text/plain.tsx";
import { visibleLine } from "./text/visible-text.ts";

interface SessionHeadProps {
  session: Session;
  /** The session's latest run; undefined until it is loaded. */
  run: Run | undefined;
  isPanelOpen: boolean;
  panelId: string;
  onPanel: () => void;
}

export function SessionHead({ session, run, isPanelOpen, panelId, onPanel }: SessionHeadProps) {
  return (
    <div className={styles.head}>
      <div className={styles.top}>
        <nav aria-label="Breadcrumb" className={styles.crumbs}>
          <Link to="/routines/$id" params={{ id: session.routine_id }}>
            <ChevronLeftIcon size={14} />
            <Plain text={run?.routine.name ?? "Routine"} />
          </Link>
        </nav>
        <div className={styles.actions}>
          <Button
            variant="ghost"
            size="sm"
            icon={<PanelIcon />}
            aria-expanded={isPanelOpen}
            aria-controls={isPanelOpen ? panelId : undefined}
            onClick={onPanel}
          >
            Details
          </Button>
          <SessionMenu session={session} />
        </div>
      </div>
      <div className={styles.top}>
        <div className={styles.name}>
          <h1 className={styles.title} title={visibleLine(session.title)}>
            <Plain text={session.title} />
          </h1>
          {run !== undefined && <RunStatusBadge status={run.status} runner={run.runner} />}
          {session.archived && <Badge>Archived</Badge>}
        </div>
        {run !== undefined && mayRetry(run) && <RetryRun key={run.id} run={run} />}
      </div>
      {run === undefined ? <SkeletonText /> : <Facts run={run} />}
    </div>
  );
}

/** What it was given is gone with a session that was deleted. */
function mayRetry(run: Run): boolean {
  return !isActiveStatus(run.status) && !("session_deleted" in run && run.session_deleted === true);
}

function Facts({ run }: { run: Run }) {
  const { queued_at: queuedAt, finished_at: finishedAt } = run.timings;
  return (
    <p className={styles.facts}>
      <span>
        <Plain text={run.trigger.summary} />
      </span>
      {originTerms(run.trigger).map((term) => (
        <span key={term}>{term}</span>
      ))}
      {finishedAt !== null && (
        <span>
          <Time at={queuedAt} />
        </span>
      )}
      <span>
        {finishedAt === null ? (
          <>
            <Elapsed since={queuedAt} /> so far
          </>
        ) : (
          `took ${formatDuration(wholeDurationMs(run, 0))}`
        )}
      </span>
      <span>
        {run.demo_model ? (
          <Badge tone="warning">Offline demo model</Badge>
        ) : (
          <code>
            <Plain text={run.routine.model} />
          </code>
        )}
      </span>
    </p>
  );
}
