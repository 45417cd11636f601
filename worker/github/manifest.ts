/** Pure: what the instance asks GitHub for when its App is made. docs/github-app.md says why each is needed. */

/**
 * `contents: write` is for clones and pushes; `pull_requests` and `issues: write` for what people and runs open and say there. All
 * others are read: runs look at them, and they let the events of triggers come.
 */
export const APP_PERMISSIONS = {
  metadata: "read",
  contents: "write",
  pull_requests: "write",
  issues: "write",
  statuses: "read",
  discussions: "read",
  checks: "read",
  actions: "read",
  merge_queues: "read",
} as const;

/** Those of docs/listeners/github.md, and `repository`, which tells of new names, owners and deletions. */
export const APP_EVENTS = [
  "check_run",
  "check_suite",
  "commit_comment",
  "discussion",
  "discussion_comment",
  "issue_comment",
  "issues",
  "merge_group",
  "pull_request",
  "pull_request_review",
  "pull_request_review_comment",
  "pull_request_review_thread",
  "push",
  "release",
  "repository",
  "repository_dispatch",
  "sub_issues",
  "workflow_dispatch",
  "workflow_job",
  "workflow_run",
] as const;

/** GitHub takes no longer name. */
const NAME_LENGTH = 34;

export interface AppManifest {
  name: string;
  url: string;
  description: string;
  public: boolean;
  redirect_url: string;
  setup_url: string;
  setup_on_update: boolean;
  hook_attributes?: { url: string; active: boolean };
  default_permissions: Record<string, string>;
  default_events: string[];
}

/**
 * @param baseUrl the instance's address, without a slash at the end. One that GitHub can't reach, because it is not served
 *   over HTTPS, gets an App without a webhook.
 */
export function appManifest(baseUrl: string): AppManifest {
  const { hostname, protocol } = new URL(baseUrl);
  const isReachable = protocol === "https:";
  return {
    // Whoever makes the App can change it there: names are unique in all of GitHub.
    name: `Reveille ${hostname}`.slice(0, NAME_LENGTH).trim(),
    url: baseUrl,
    description: "Runs Claude Code routines on this account's repositories.",
    public: false,
    redirect_url: `${baseUrl}/setup`,
    setup_url: `${baseUrl}/setup`,
    setup_on_update: true,
    ...(isReachable ? { hook_attributes: { url: `${baseUrl}/webhooks/github`, active: true } } : {}),
    default_permissions: APP_PERMISSIONS,
    default_events: isReachable ? [...APP_EVENTS] : [],
  };
}
