/** A word in the tone of its meaning. Colour never says it alone: there is the word, and a mark of its own shape. */

import type { ReactNode } from "react";
import type { Outcome } from "#protocol/occurrence.ts";
import type { Routine } from "#protocol/routine.ts";
import type { RunResult } from "#protocol/run.ts";
import {
  type Label,
  NO_EVIDENCE_LABEL,
  OUTCOME_LABELS,
  RESULT_LABELS,
  ROUTINE_STATUS_LABELS,
  runLabel,
  type StatusOfRun,
  type Tone,
} from "../format/status.ts";
import styles from "./badge.module.css";
import { classNames } from "./class-names.ts";
import { StatusMark } from "./status-mark.tsx";

interface BadgeProps {
  tone?: Tone;
  icon?: ReactNode;
  children: ReactNode;
}

export function Badge({ tone = "neutral", icon, children }: BadgeProps) {
  return (
    <span className={classNames(styles.badge, styles[tone])}>
      {icon}
      {children}
    </span>
  );
}

/** A badge stands in a head; a plain one in the rows of a list, where many would be loud. */
type Look = "badge" | "plain";

/** The status of a run, which tests and people find by `data-run-status`. */
export function RunStatusBadge({ status, runner, look = "badge" }: StatusOfRun & { look?: Look }) {
  const { text, tone } = runLabel({ status, runner });
  return (
    <span className={classNames(styles[look], styles[tone])} data-run-status={status}>
      <StatusMark status={status} />
      {text}
    </span>
  );
}

export function ResultBadge({ result }: { result: RunResult }) {
  return <LabelBadge {...RESULT_LABELS[result]} look="badge" />;
}

/** Beside `Done`: nothing was seen of what the agent reports. */
export function NoEvidenceBadge() {
  return <LabelBadge {...NO_EVIDENCE_LABEL} look="badge" />;
}

export function OutcomeBadge({ outcome, look = "badge" }: { outcome: Outcome; look?: Look }) {
  return <LabelBadge {...OUTCOME_LABELS[outcome]} look={look} />;
}

export function RoutineStatusBadge({ status }: { status: Routine["status"] }) {
  return <LabelBadge {...ROUTINE_STATUS_LABELS[status]} look="badge" />;
}

/** Of any label. */
export function LabelBadge({ text, tone, look }: Label & { look: Look }) {
  return (
    <span className={classNames(styles[look], styles[tone])}>
      <span className={styles.dot} aria-hidden="true" />
      {text}
    </span>
  );
}
