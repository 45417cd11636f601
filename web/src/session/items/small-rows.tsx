/** Rows of a line or two: notices, pushes, pull requests, usage, steps, and what this version of the app does not know. */
import type { CancelReason } from "#protocol/run.ts";
import { formatCost, formatTokens } from "../../format/amounts.ts";
import { repositoryName } from "../../format/repository.ts";
import { classNames } from "../../ui/class-names.ts";
import { AlertIcon, InfoIcon, RepositoryIcon, StopIcon } from "../icons.tsx";
import type {
  CancelItem,
  CommentItem,
  NoticeItem,
  PullRequestItem,
  PushItem,
  UnknownItem,
  UsageItem,
} from "../item-types.ts";
import { GithubLink, PullRequestLink } from "../pull-request-link.tsx";
import { CutNote } from "../text/cut-note.tsx";
import { Plain } from "../text/plain.tsx";
import { visibleText } from "../text/visible-text.ts";
import styles from "./small-rows.module.css";

export function NoticeRow({ item: { level, message, cut } }: { item: NoticeItem }) {
  const isWarning = level === "warning";
  return (
    <div className={classNames(styles.notice, isWarning && styles.warning)}>
      {isWarning ? <AlertIcon /> : <InfoIcon />}
      <div>
        <p className={styles.message}>
          {isWarning && <span className="visually-hidden">Warning: </span>}
          {visibleText(message)}
        </p>
        {cut !== null && <CutNote cut={cut} />}
      </div>
    </div>
  );
}

export function PushRow({ item: { repository, branch, commit, previous } }: { item: PushItem }) {
  return (
    <p className={styles.push}>
      <RepositoryIcon />
      <span>
        {previous === null ? "Pushed the new branch " : "Pushed the branch "}
        <code>
          <Plain text={branch} />
        </code>{" "}
        at <code title={commit}>{commit.slice(0, 7)}</code> to{" "}
        <span title={repository}>
          <Plain text={repositoryName(repository)} />
        </span>
      </span>
    </p>
  );
}

export function PullRequestRow({
  item: { repository, branch, base, number, url, by, change },
}: {
  item: PullRequestItem;
}) {
  return (
    <p className={styles.push}>
      <RepositoryIcon />
      <span title={repository}>
        <PullRequestLink url={url} number={number} /> {change} by <Plain text={by ?? "the agent"} /> in{" "}
        <Plain text={repositoryName(repository)} />:{" "}
        <code>
          <Plain text={branch} />
        </code>{" "}
        into{" "}
        <code>
          <Plain text={base} />
        </code>
      </span>
    </p>
  );
}

const WRITTEN = { comment: "Comment on", review: "Review of", issue: "Opened issue" } as const;

export function CommentRow({ item: { of, repository, number, url } }: { item: CommentItem }) {
  const name = `${WRITTEN[of]} #${number}`;
  return (
    <p className={styles.push}>
      <RepositoryIcon />
      <span title={repository}>
        <GithubLink url={url} name={name} /> by the agent in <Plain text={repositoryName(repository)} />
      </span>
    </p>
  );
}

export function UsageRow({ item: { usage } }: { item: UsageItem }) {
  const read = usage.input_tokens + usage.cache_read_tokens + usage.cache_write_tokens;
  return (
    <p className={styles.quiet}>
      {formatTokens(read)} tokens in, {formatTokens(usage.output_tokens)} out · {formatCost(usage.cost_usd)}
    </p>
  );
}

export function StepRow({ message }: { message: string }) {
  return (
    <p className={styles.quiet}>
      <Plain text={message} />
    </p>
  );
}

export function CancelRow({ item: { reason } }: { item: CancelItem }) {
  return (
    <div className={styles.notice}>
      <StopIcon />
      <p className={styles.message}>{CANCEL_REQUESTS[reason]}</p>
    </div>
  );
}

export function UnknownRow({ item: { type } }: { item: UnknownItem }) {
  return (
    <p className={styles.quiet}>
      <Plain text={type} />: reload the page to see what this is.
    </p>
  );
}

const CANCEL_REQUESTS: Record<CancelReason, string> = {
  by_user: "A person asked to cancel this run.",
  superseded: "A newer run takes the place of this one, which is canceled.",
  routine_deleted: "The routine was deleted, so this run is canceled.",
};
