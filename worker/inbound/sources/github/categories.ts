/** The GitHub events that people choose among, with their actions: for docs and the web app. */

export interface GithubCategory {
  title: string;
  /** As the `event` of a trigger, and as GitHub's `X-GitHub-Event` has it. */
  event: string;
  /** As the `actions` of a trigger; empty where GitHub tells none. */
  actions: readonly string[];
}

const ISSUE_ACTIONS = "assigned closed deleted demilestoned edited labeled locked milestoned opened pinned reopened";
const DISCUSSION_ACTIONS = "answered category_changed closed created deleted edited labeled locked pinned reopened";
const PULL_REQUEST_ACTIONS =
  "assigned auto_merge_disabled auto_merge_enabled closed converted_to_draft demilestoned dequeued edited enqueued labeled";

/** Any other event of GitHub's can be waited for by its name too. */
export const GITHUB_CATEGORIES: readonly GithubCategory[] = [
  category(
    "Pull request",
    "pull_request",
    `${PULL_REQUEST_ACTIONS} locked milestoned opened ready_for_review reopened review_request_removed review_requested synchronize unassigned unlabeled unlocked`,
  ),
  category("Pull request review", "pull_request_review", "dismissed edited submitted"),
  category("Pull request review comment", "pull_request_review_comment", "created deleted edited"),
  category("Push", "push", ""),
  category("Release", "release", "created deleted edited prereleased published released unpublished"),
  category("Issues", "issues", `${ISSUE_ACTIONS} transferred typed unassigned unlabeled unlocked unpinned untyped`),
  category("Issue comment", "issue_comment", "created deleted edited"),
  category("Sub issues", "sub_issues", "parent_issue_added parent_issue_removed sub_issue_added sub_issue_removed"),
  category("Commit comment", "commit_comment", "created"),
  category("Discussion", "discussion", `${DISCUSSION_ACTIONS} transferred unanswered unlabeled unlocked unpinned`),
  category("Discussion comment", "discussion_comment", "created deleted edited"),
  category("Check run", "check_run", "completed created requested_action rerequested"),
  category("Check suite", "check_suite", "completed requested rerequested"),
  category("Merge queue entry", "merge_group", "checks_requested destroyed"),
  category("Workflow run", "workflow_run", "completed in_progress requested"),
  category("Workflow job", "workflow_job", "completed in_progress queued waiting"),
  category("Workflow dispatch", "workflow_dispatch", ""),
  category("Repository dispatch", "repository_dispatch", ""),
];

function category(title: string, event: string, actions: string): GithubCategory {
  return { title, event, actions: actions === "" ? [] : actions.split(" ") };
}
