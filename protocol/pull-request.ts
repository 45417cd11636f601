/** Pull requests that people open from what a session has pushed. */
import { z } from "zod";
import { atMost } from "./characters.ts";
import { branchRef } from "./git-refs.ts";
import { runIdSchema } from "./ids.ts";
import { nullable } from "./schema.ts";
import { timestampSchema } from "./time.ts";

/** What GitHub takes at most, less the room for the lines that name the session. */
const BODY_LIMIT = 60_000;
export const PULL_REQUEST_TITLE_LIMIT = 250;
/** How many a run's evidence names, the latest ones. */
export const PULL_REQUESTS_KEPT = 100;

const branchField = z.string().refine((branch) => branchRef(branch) !== null, "must be the name of a branch");

export const pullRequestInputSchema = z
  .strictObject({
    repository: z.string().min(1).max(2_000).optional().meta({
      description: "Its address, or owner/name. Left out: the one that the session has pushed to last.",
    }),
    branch: branchField.optional().meta({ description: "Left out: the one that the session has pushed last." }),
    title: z
      .string()
      .trim()
      .min(1, "must say something, or be left out")
      .check(atMost(PULL_REQUEST_TITLE_LIMIT, `must be at most ${PULL_REQUEST_TITLE_LIMIT} characters`))
      .refine((title) => !/[\p{Cc}\p{Zl}\p{Zp}]/u.test(title), "must be one line without control characters")
      .optional()
      .meta({ description: "Left out: the session's title." }),
    body: z
      .string()
      .check(atMost(BODY_LIMIT, `must be at most ${BODY_LIMIT} characters`))
      .optional()
      .meta({
        description: "Markdown. Left out: what the run has reported. Lines that name session and run follow it.",
      }),
    base: branchField.optional().meta({
      description:
        "The branch to merge into. Left out: the one that the run began with, or the repository's default branch.",
    }),
    draft: z.boolean().default(false),
  })
  .meta({ id: "PullRequestInput" });
export type PullRequestInput = z.infer<typeof pullRequestInputSchema>;

/** A pull request as evidence, and as the transcript tells of it. */
export const pullRequestFields = {
  repository: z.string(),
  branch: z.string(),
  base: z.string(),
  number: z.int().min(1),
  url: z.string(),
};
export const seenPullRequestSchema = z.object(pullRequestFields);
export type SeenPullRequest = z.infer<typeof seenPullRequestSchema>;

export const openedPullRequestSchema = z
  .object({
    ...pullRequestFields,
    title: z.string(),
    draft: z.boolean(),
    run_id: runIdSchema.meta({ description: "The run that has pushed the branch last." }),
    was_open: z.boolean().meta({ description: "Whether it was there already: then nothing of it was changed." }),
  })
  .meta({ id: "OpenedPullRequest" });
export type OpenedPullRequest = z.infer<typeof openedPullRequestSchema>;

export const pullRequestListSchema = z
  .object({
    data: z.array(
      z.object({
        repository: z.string(),
        branch: z.string(),
        run_id: runIdSchema,
        asked_at: timestampSchema,
        asked_by: z.string(),
        opened: nullable(seenPullRequestSchema).meta({
          description: "Null while it is not known that GitHub has opened it: asking again finds it, or opens it.",
        }),
      }),
    ),
  })
  .meta({ id: "PullRequestList" });
export type PullRequestList = z.infer<typeof pullRequestListSchema>;

/** What a pull request is to be, as the session's object has decided. */
export interface PullRequestPlan {
  /** The whole address of the repository. */
  repository: string;
  branch: string;
  /** Null for the repository's default branch. */
  base: string | null;
  /** Whether a person has named the base: then one that is open into another branch is not this one. */
  isBaseNamed: boolean;
  title: string;
  body: string;
  draft: boolean;
  run_id: string;
}
