/** The mark of a run's status: a shape for each, so that it is told without its colour. */
import type { RunStatus } from "#protocol/run.ts";
import { RUN_STATUS_LABELS } from "../format/status.ts";
import { classNames } from "./class-names.ts";
import styles from "./status-mark.module.css";

interface StatusMarkProps {
  status: RunStatus;
  size?: number;
}

export function StatusMark({ status, size = 14 }: StatusMarkProps) {
  const { tone } = RUN_STATUS_LABELS[status];
  return (
    <svg
      className={classNames(styles.mark, styles[tone], status === "running" && styles.running)}
      viewBox="0 0 16 16"
      width={size}
      height={size}
      fill="none"
      stroke="currentColor"
      strokeWidth="1.75"
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
    >
      {SHAPES[status]}
    </svg>
  );
}

const SHAPES = {
  queued: <circle cx="8" cy="8" r="6" strokeDasharray="2.2 2.5" />,
  starting: (
    <g className={styles.turning}>
      <circle cx="8" cy="8" r="6" opacity="0.3" />
      <path d="M14 8a6 6 0 0 0-6-6" />
    </g>
  ),
  running: (
    <>
      <circle cx="8" cy="8" r="6" opacity="0.35" />
      <circle className={styles.core} cx="8" cy="8" r="2.6" fill="currentColor" stroke="none" />
    </>
  ),
  waiting: (
    <>
      <circle cx="8" cy="8" r="6" />
      <path d="M6.2 5.6v4.8M9.8 5.6v4.8" />
    </>
  ),
  succeeded: (
    <>
      <circle cx="8" cy="8" r="6.9" fill="currentColor" stroke="none" />
      <path className={styles.cut} d="m5.2 8.2 2 2 3.7-4.1" />
    </>
  ),
  failed: (
    <>
      <circle cx="8" cy="8" r="6.9" fill="currentColor" stroke="none" />
      <path className={styles.cut} d="m5.8 5.8 4.4 4.4m0-4.4-4.4 4.4" />
    </>
  ),
  timed_out: (
    <>
      <circle cx="8" cy="8" r="6.9" fill="currentColor" stroke="none" />
      <path className={styles.cut} d="M8 4.6V8l2.2 1.6" />
    </>
  ),
  canceled: (
    <>
      <circle cx="8" cy="8" r="6" />
      <path d="m3.8 12.2 8.4-8.4" />
    </>
  ),
} satisfies Record<RunStatus, unknown>;
