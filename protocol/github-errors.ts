/** Refusals that are about the GitHub App: rows of the table in `api-errors.ts`. */
import type { ErrorRow } from "./error-types.ts";

export const GITHUB_ERRORS = {
  github_app_missing: {
    type: "not_found_error",
    message: "No GitHub App is set up.",
    hint: "Open /setup at the instance's address to make one.",
  },
  setup_refused: {
    type: "unprocessable_error",
    message: "This setup was not begun here, has been ended already, or is more than an hour old.",
    hint: "Begin again at /setup. An App that was made at GitHub meanwhile can be deleted there.",
  },
  github_app_not_installed: {
    type: "permission_error",
    message: "The GitHub App is not installed on the account that owns the repository.",
    hint: "Install it there: /setup has the link.",
  },
  github_app_suspended: {
    type: "permission_error",
    message: "The GitHub App's installation is suspended.",
    hint: "Have it unsuspended on the account's page of installed Apps: /setup has the link.",
  },
  github_repository_not_selected: {
    type: "permission_error",
    message: "The GitHub App is installed, but was not given this repository.",
    hint: "Give it the repository on the account's page of installed Apps: /setup has the link.",
  },
  github_app_lacks_permission: {
    type: "permission_error",
    message: "The GitHub App may not do this in this repository.",
    hint: "See that the installation has contents: write and this repository; a file below .github/workflows needs more than the App has.",
  },
  pull_request_without_branch: {
    type: "unprocessable_error",
    message: "The session has pushed no such branch.",
    hint: "Have its agent commit and push first: send the session a message, or look at evidence.branches_pushed of its runs.",
  },
  pull_request_without_app: {
    type: "unprocessable_error",
    message: "The instance opens pull requests by its GitHub App alone, and none is set up.",
    hint: "Make the App at /setup, or open the pull request yourself at details.compare_url.",
  },
  pull_request_elsewhere: {
    type: "unprocessable_error",
    message: "The repository does not lie on the instance's GitHub: the instance opens no pull requests there.",
    hint: "Open it at the repository's own host, from the branch that was pushed.",
  },
  pull_request_refused: {
    type: "unprocessable_error",
    message: "GitHub does not open this pull request.",
    hint: "See details.reason for GitHub's words, and details.compare_url for the page on which a person can look at it.",
  },
  github_without_app: {
    type: "unprocessable_error",
    message: "The instance works at GitHub by its GitHub App alone, and none is set up.",
    hint: "Whoever owns the instance makes the App at /setup, and installs it on the account of the repository.",
  },
  github_elsewhere: {
    type: "unprocessable_error",
    message: "The repository does not lie on the instance's GitHub.",
    hint: "Use git for what is in the repository; for the rest, a connector or the host's own page.",
  },
  github_write_refused: {
    type: "permission_error",
    message: "The run may not write this at GitHub.",
    hint: "See details.reason for the rule that refused it.",
  },
  github_deed_under_way: {
    type: "conflict_error",
    message: "The same call is still under way.",
    hint: "Wait a minute, and make it again: it is done once.",
  },
  github_refused: {
    type: "unprocessable_error",
    message: "GitHub refuses this.",
    hint: "See details.reason for GitHub's words.",
  },
  github_app_key_refused: {
    type: "unprocessable_error",
    message: "GitHub does not accept the GitHub App's key.",
    hint: "Make a new private key on the App's page at GitHub and give it to the instance, or set up the App anew at /setup.",
  },
} as const satisfies Record<string, ErrorRow>;
