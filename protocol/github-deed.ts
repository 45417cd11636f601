/** What a run does at GitHub through the instance: as its object notes it before the call, as evidence, and in the transcript. */
import { z } from "zod";
import { seenPullRequestSchema } from "./pull-request.ts";

/** Each is a tool of the server `github`. */
export const deedKinds = ["open_pull_request", "update_pull_request", "comment", "review", "open_issue"] as const;
export type DeedKind = (typeof deedKinds)[number];

/** What the same server reads. */
export const githubReads = [
  "list_issues",
  "read_issue",
  "list_pull_requests",
  "read_pull_request",
  "read_checks",
  "list_workflow_runs",
  "read_job_log",
  "read_file",
  "list_releases",
] as const;
export type GithubRead = (typeof githubReads)[number];

/** The MCP server's name: rules of a routine's tool policy name its tools `mcp__github__…`. */
export const GITHUB_SERVER = "github";
/** How many comments a run's evidence names, the latest ones. */
export const COMMENTS_KEPT = 100;

/** What a run has said at GitHub, as evidence and as the transcript tells of it. */
export const commentFields = {
  kind: z.enum(["comment", "review", "issue"]).meta({
    description: "A comment on an issue or pull request, a review of a pull request, or an issue that was opened.",
  }),
  repository: z.string(),
  number: z.int().min(1).meta({ description: "Of the issue or pull request." }),
  url: z.string(),
};
export const seenCommentSchema = z.object(commentFields);

/** What has become of a deed. A pull request that another had opened from the branch is found, and is no deed of the run's. */
export const doneDeedSchema = z.discriminatedUnion("is", [
  z.object({
    is: z.literal("pull_request"),
    seen: seenPullRequestSchema,
    change: z.enum(["opened", "updated", "found"]),
  }),
  z.object({ is: z.literal("comment"), seen: seenCommentSchema }),
]);
export type DoneDeed = z.infer<typeof doneDeedSchema>;

/** What a run is about to do. */
export interface DeedPlan {
  /** 32 hex digits, of what is done and of the run: the same call is the same deed. */
  id: string;
  kind: DeedKind;
  /** The repository's number in the routine. */
  number: number;
  /** The branch that a pull request is from; null for every other deed. */
  branch: string | null;
}

/** What is looked for at GitHub where nothing was heard of a deed. */
export interface SoughtDeed extends Pick<DeedPlan, "id" | "kind" | "branch"> {
  /** The issue or pull request that is written to; null where one is opened. */
  about: number | null;
}

/**
 * What the object answers: `do` it; `look` whether it was done, for an earlier call's answer was lost, or that call is still under
 * way (`isHeld`): then it is not done again; it was `done`.
 */
export type DeedState =
  | { state: "do" }
  | { state: "look"; sinceMs: number; isHeld: boolean }
  | { state: "done"; done: DoneDeed };
