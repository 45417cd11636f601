/** A git repository that a routine names: what its runs clone, and what they may push to it. */
import { z } from "zod";
import { folderPathSchema } from "./folder-path.ts";
import { branchRef, isPlainBranch } from "./git-refs.ts";
import { webAddress } from "./web-address.ts";

/** Whether the address is written as it is understood; a slash at its end makes no difference. */
function isPlain(text: string): boolean {
  const withoutSlash = (address: string) => address.replace(/\/$/, "");
  return withoutSlash(new URL(text).href) === withoutSlash(text);
}

/** What runs may push to a repository that says nothing of it. */
export const DEFAULT_PUSH = "prefix";

/** Enough history for an agent to read what was done lately; `git fetch --deepen` gets more. */
export const DEFAULT_DEPTH = 50;

/** What a run clones. The address carries no credential: the instance holds those. */
export const clonedRepositorySchema = z.strictObject({
  url: webAddress('must be an http(s) address, for example "https://github.com/acme/app"', false)
    .max(2_000)
    // What is no address at all has been told of by then.
    .refine((text) => !URL.canParse(text) || (new URL(text).username === "" && new URL(text).password === ""), {
      error: "must not contain a user name or password; credentials belong in GIT_CREDENTIALS",
    })
    .refine((text) => !/[?#]/.test(text), { error: "must not have a query or fragment" })
    .refine((text) => !URL.canParse(text) || isPlain(text), {
      error: "must be written plainly (lower-case host, no spaces, backslashes, escapes in the host or dot segments)",
      params: { tells: "found" },
    }),
  branch: z
    .string()
    .max(255)
    .refine((branch) => branchRef(branch) !== null && isPlainBranch(branch), {
      error: "must be a valid branch name",
      params: { tells: "found" },
    })
    .optional(),
  paths: z.array(folderPathSchema).min(1).max(100).optional().meta({
    description: "Folders of the repository: the working tree has these alone, and the clone no other files' contents.",
  }),
  depth: z
    .int()
    .min(0)
    .max(1_000_000)
    .optional()
    .meta({
      description: `How many commits of history are cloned; 0 for all of it. ${DEFAULT_DEPTH} where it says nothing.`,
    }),
});
export type ClonedRepository = z.infer<typeof clonedRepositorySchema>;

/** A git repository of a routine, and what its runs may push to it. */
export const repositorySchema = clonedRepositorySchema
  .extend({
    push: z
      .enum(["prefix", "any", "none"])
      .default(DEFAULT_PUSH)
      .meta({ description: "Branches under push_prefix alone, any branch, or nothing." }),
  })
  .meta({ id: "Repository" });
export type Repository = z.infer<typeof repositorySchema>;
