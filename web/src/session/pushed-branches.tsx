/** Branches that a run has pushed, and pull requests from them: those that there are, and the button that opens one. */
import { useQueryClient } from "@tanstack/react-query";
import type { Run } from "#protocol/run.ts";
import { openPullRequest } from "../client/generated.ts";
import { repositoryName } from "../format/repository.ts";
import { Problem } from "../problem.ts";
import { runQuery } from "../queries.ts";
import { Button } from "../ui/button.tsx";
import { useWrite } from "../write.ts";
import styles from "./details-panel.module.css";
import { PullRequestLink } from "./pull-request-link.tsx";
import { Plain } from "./text/plain.tsx";

type Pushed = Run["evidence"]["branches_pushed"][number];

export function PushedBranches({ run }: { run: Run }) {
  return (
    <>
      <h3 className={styles.name}>Branches pushed</h3>
      <ul className={styles.branches}>
        {run.evidence.branches_pushed.map((pushed) => (
          <Branch key={`${pushed.repository} ${pushed.branch}`} run={run} pushed={pushed} />
        ))}
      </ul>
    </>
  );
}

function Branch({ run, pushed: { repository, branch, commit } }: { run: Run; pushed: Pushed }) {
  const queries = useQueryClient();
  const open = useWrite({
    mutationFn: () => openPullRequest(run.session_id, { repository, branch }),
    onSuccess: () => queries.invalidateQueries({ queryKey: runQuery(run.id).queryKey }),
  });
  const opened = (run.evidence.pull_requests ?? []).filter((one) => one.branch === branch && isSame(one, repository));
  return (
    <li title={`${repository} at ${commit}`}>
      <code>
        <Plain text={branch} />
      </code>
      <span>
        <Plain text={repositoryName(repository)} /> at {commit.slice(0, 7)}
      </span>
      {opened.map(({ url, number }) => (
        <PullRequestLink key={url} url={url} number={number} />
      ))}
      {opened.length === 0 && (
        <Button size="sm" variant="secondary" isBusy={open.isPending} onClick={() => open.mutate()}>
          Open a pull request
        </Button>
      )}
      {open.error !== null && (
        <p className={styles.aside} role="alert">
          {open.error.message} {open.error instanceof Problem && open.error.hint}
        </p>
      )}
    </li>
  );
}

/** What a slash at the end tells apart is one repository. */
function isSame(opened: { repository: string }, repository: string): boolean {
  return opened.repository === repository.replace(/\/+$/, "");
}
