/** How a run ended: its status, what it says it did, and what it is seen to have done. */
import { formatCost, formatTokens, plural, totalTokens } from "../../format/amounts.ts";
import { CANCEL_TEXTS, RUN_STATUS_LABELS } from "../../format/status.ts";
import { NoEvidenceBadge, ResultBadge } from "../../ui/badge.tsx";
import { classNames } from "../../ui/class-names.ts";
import { StatusMark } from "../../ui/status-mark.tsx";
import { Stamp } from "../../ui/time.tsx";
import type { FinishedItem } from "../item-types.ts";
import { Plain } from "../text/plain.tsx";
import { visibleText } from "../text/visible-text.ts";
import styles from "./finished-row.module.css";

export function FinishedRow({ item }: { item: FinishedItem }) {
  const { status, result, summary, error, cancelReason, atMs } = item;
  const { text, tone } = RUN_STATUS_LABELS[status];
  const at = new Date(atMs).toISOString();
  return (
    <div className={classNames(styles.card, styles[tone])}>
      <p className={styles.title}>
        <StatusMark status={status} size={16} />
        <strong>{text}</strong>
        {result !== "unknown" && <ResultBadge result={result} />}
        {item.isEvidenceMissing && <NoEvidenceBadge />}
        <Stamp at={at} className={styles.time}>
          {clock.format(atMs)}
        </Stamp>
      </p>
      {summary !== null && <p className={styles.summary}>{visibleText(summary)}</p>}
      {cancelReason !== null && <p className={styles.summary}>{CANCEL_TEXTS[cancelReason]}</p>}
      {error !== null && (
        <div className={styles.error}>
          <p className={styles.summary}>{visibleText(error.message)}</p>
          <p className={styles.hint}>{visibleText(error.hint)}</p>
          <p className={styles.code}>
            <code>{error.code}</code> in {error.phase}
          </p>
        </div>
      )}
      <Evidence item={item} />
    </div>
  );
}

function Evidence({ item: { evidence, usage } }: { item: FinishedItem }) {
  const facts = [
    plural(evidence.turns, "turn"),
    plural(evidence.tool_calls, "tool call"),
    `${plural(evidence.files_changed, "file")} changed`,
    `${plural(evidence.commits_pushed, "commit")} pushed`,
    `${formatTokens(totalTokens(usage))} tokens`,
    formatCost(usage.cost_usd),
  ];
  return (
    <ul className={styles.evidence} aria-label="Evidence">
      {facts.map((fact) => (
        <li key={fact}>{fact}</li>
      ))}
      {evidence.branches_pushed.map(({ repository, branch }) => (
        <li key={`${repository} ${branch}`}>
          <code>
            <Plain text={branch} />
          </code>
        </li>
      ))}
    </ul>
  );
}

const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
