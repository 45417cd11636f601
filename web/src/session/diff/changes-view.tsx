/** What the session's work has changed: repository by repository, branch by branch, file by file. */
import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import type { Session } from "#protocol/session.ts";
import type { Diff } from "../../client/generated.ts";
import { plural } from "../../format/amounts.ts";
import { repositoryName } from "../../format/repository.ts";
import { branchLink, commitLink } from "../../format/repository-links.ts";
import { isActiveStatus } from "../../format/status.ts";
import { EmptyState } from "../../ui/empty-state.tsx";
import { ErrorState } from "../../ui/error-state.tsx";
import { SkeletonRows } from "../../ui/skeleton.tsx";
import { Time } from "../../ui/time.tsx";
import { OutsideLink } from "../outside-link.tsx";
import { sessionDiffQuery } from "../session-queries.ts";
import { Plain } from "../text/plain.tsx";
import { ChangedFile } from "./changed-file.tsx";
import { changedFiles, openAtFirst } from "./changed-files.ts";
import styles from "./changes-view.module.css";
import type { LineComments } from "./line-comments.ts";

type Change = Diff["repositories"][number]["changes"][number];

export function ChangesView({ session, comments }: { session: Session; comments: LineComments }) {
  const ended = session.runs.filter(({ status }) => !isActiveStatus(status)).length;
  const { data, error, refetch, isFetching } = useQuery(sessionDiffQuery(session.id, ended));
  if (data === undefined && error !== null) {
    return (
      <ErrorState
        title="The changes could not be loaded"
        error={error}
        onRetry={() => refetch()}
        isRetrying={isFetching}
      />
    );
  }
  if (data === undefined) return <SkeletonRows label="Loading the changes" rows={6} />;
  const changed = data.repositories.filter(({ changes }) => changes.length > 0);
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached with the keyboard
    <section className={styles.view} aria-label="Changes" tabIndex={0}>
      {changed.length === 0 ? (
        <EmptyState title={data.run_id === null ? "No changes yet" : "Nothing was changed"}>
          <p>
            {data.run_id === null
              ? "What a run changes in its repositories is shown here when it has ended."
              : "The last run left its repositories as they were."}
          </p>
        </EmptyState>
      ) : (
        <>
          {data.at !== null && (
            <p className={styles.as}>
              As the last run that has ended left it, <Time at={data.at} />. Press a line’s number to comment on it.
            </p>
          )}
          {changed.map(({ repository, changes }) =>
            changes.map((change) => (
              <ChangePart
                key={`${repository} ${change.kind} ${change.branch}`}
                repository={repository}
                change={change}
                comments={comments}
              />
            )),
          )}
        </>
      )}
    </section>
  );
}

interface ChangePartProps {
  repository: string;
  change: Change;
  comments: LineComments;
}

function ChangePart({ repository, change, comments }: ChangePartProps) {
  const files = useMemo(() => changedFiles(change), [change]);
  const open = useMemo(() => openAtFirst(files), [files]);
  const leftOut = change.files_changed - files.length;
  return (
    <section className={styles.change}>
      <h2 className={styles.title}>
        <span>
          <Plain text={repositoryName(repository)} />
        </span>
        {change.branch === null ? (
          <span>{change.kind === "uncommitted" ? "Not committed" : "On no branch"}</span>
        ) : (
          <OutsideLink to={branchLink(repository, change.branch)}>
            <code>
              <Plain text={change.branch} />
            </code>
          </OutsideLink>
        )}
        {change.head !== null && (
          <OutsideLink to={commitLink(repository, change.head)}>
            <code>{change.head.slice(0, 7)}</code>
          </OutsideLink>
        )}
      </h2>
      <p className={styles.counts}>
        {plural(change.files_changed, "file")} changed, <span className={styles.added}>+{change.additions}</span>{" "}
        <span className={styles.removed}>−{change.deletions}</span>
      </p>
      {files.map((file, index) => (
        <ChangedFile
          key={file.path}
          file={file}
          isOpenAtFirst={open[index] ?? false}
          of={{ repository, branch: change.branch }}
          comments={comments}
        />
      ))}
      {change.truncated && (
        <p className={styles.cut}>
          Not all of it is kept: a change has at most 128 KiB of lines and 300 files.
          {leftOut > 0 && ` ${plural(leftOut, "more file")} changed.`}
        </p>
      )}
    </section>
  );
}
