/** What a session's work has changed in its repositories: branches, and what is not committed. */
import { z } from "zod";
import { runIdSchema, sessionIdSchema } from "./ids.ts";
import { nullable } from "./schema.ts";
import { timestampSchema } from "./time.ts";

/** Of one change, in bytes as git gives it. */
export const PATCH_LIMIT_BYTES = 131_072;
/** Of all patches together, in UTF-16 code units. */
export const PATCHES_LENGTH = 600_000;
/** How many files of one change are named, and how many changes of one repository are told. */
export const DIFF_FILES = 300;
export const DIFF_CHANGES = 20;
/** Of what a runner sends. */
export const DIFF_LIMIT_BYTES = 1_500_000;
/** Of how many sessions of a routine it is kept, the newest ones. */
export const DIFF_SESSIONS = 200;

const commitSchema = z.string().regex(/^[0-9a-f]{40,64}$/);
const diffFileSchema = z.object({
  path: z.string().max(4_096),
  previous_path: z.string().max(4_096).optional().meta({ description: "Where the file was renamed." }),
  additions: nullable(z.int().min(0)).meta({ description: "Lines; null for a binary file." }),
  deletions: nullable(z.int().min(0)),
});

const changeSchema = z.object({
  kind: z.enum(["branch", "uncommitted"]),
  branch: nullable(z.string().max(1_000)).meta({
    description: "Null for what is not committed, and for commits on no branch.",
  }),
  base: nullable(commitSchema).meta({ description: "From which it differs; null where there was no commit." }),
  head: nullable(commitSchema).meta({ description: "Null for what is not committed." }),
  files_changed: z.int().min(0),
  additions: z.int().min(0),
  deletions: z.int().min(0),
  files: z.array(diffFileSchema).max(DIFF_FILES),
  patch: z.string(),
  truncated: z.boolean().meta({ description: "Whether files or lines are left out of `files` or `patch`." }),
});
export type Change = z.infer<typeof changeSchema>;

const repositoriesSchema = z
  .array(z.object({ repository: z.string().max(2_000), changes: z.array(changeSchema).max(DIFF_CHANGES) }))
  .max(20);

/** What a runner sends when its agent has ended. */
export const sentDiffSchema = z.object({ repositories: repositoriesSchema });
export type SentDiff = z.infer<typeof sentDiffSchema>;

export const diffSchema = z
  .object({
    session_id: sessionIdSchema,
    run_id: nullable(runIdSchema).meta({ description: "The run whose end it shows; null where there is none yet." }),
    at: nullable(timestampSchema),
    repositories: repositoriesSchema,
  })
  .meta({ id: "Diff" });
export type Diff = z.infer<typeof diffSchema>;
