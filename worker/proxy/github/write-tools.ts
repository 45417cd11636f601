/** The tools of the server `github` that write, each a deed. */
import { z } from "zod";
import { type Refusal, type Result, success } from "#protocol/errors.ts";
import type { DeedKind } from "#protocol/github-deed.ts";
import { PULL_REQUEST_TITLE_LIMIT } from "#protocol/pull-request.ts";
import type { Done } from "./deeds.ts";
import { addToPull, openPull, updatePull } from "./pull-deeds.ts";
import { defineTool, number, type Tool } from "./tool.ts";
import { comment, openIssue, review } from "./word-deeds.ts";

/** What GitHub takes, less the room for the marker. */
const body = z.string().max(60_000);
const title = z
  .string()
  .trim()
  .min(1)
  .max(PULL_REQUEST_TITLE_LIMIT)
  .refine((text) => !/[\p{Cc}\p{Zl}\p{Zp}]/u.test(text), "must be one line without control characters");
const branch = z.string().min(1).max(250);
const labels = z.array(z.string().min(1).max(100)).max(50).default([]);
const reviewers = z
  .array(z.string().regex(/^[\w.-]+(?:\/[\w.-]+)?$/, "must be a login, or org/team"))
  .max(15)
  .default([])
  .describe("Logins, or org/team for a team.");

export const writeTools: Record<DeedKind, Tool> = {
  open_pull_request: defineTool(
    "Open a pull request from a branch that this session has pushed. One that is open already is found, and not changed.",
    {
      branch,
      base: branch.optional(),
      title,
      body: body.default(""),
      draft: z.boolean().default(false),
      labels,
      reviewers,
    },
    async (work, place, { labels: named, reviewers: asked, ...input }) => {
      const opened = await openPull(work, place, input);
      if (!opened.ok) return opened;
      const { seen, wasDone } = opened.value;
      const words = wasDone ? "It was open already, and was not changed" : "Opened";
      const added = await addToPull(work, place, seen.number, { labels: named, reviewers: asked });
      return success(`${words}: pull request #${seen.number} into ${seen.base}, ${seen.url}.${but(added.fault)}`);
    },
  ),
  update_pull_request: defineTool(
    "Change a pull request that is from a branch of this session's: its title, text, base or state, and add labels and reviewers.",
    {
      number,
      title: title.optional(),
      body: body.optional(),
      base: branch.optional(),
      state: z.enum(["open", "closed"]).optional(),
      labels,
      reviewers,
    },
    async (work, place, { number: of, labels: named, reviewers: asked, ...change }) => {
      const also = () => addToPull(work, place, of, { labels: named, reviewers: asked });
      const updated = await updatePull(work, place, of, change, also);
      return updated.ok ? success(`Changed: ${updated.value.done.seen.url}${but(updated.value.fault)}`) : updated;
    },
  ),
  comment: defineTool(
    "Comment on an issue, or in the conversation of a pull request. The same text is written once in a run.",
    { number, body: body.min(1) },
    async (work, place, input) => words(await comment(work, place, input.number, input.body), "Written"),
  ),
  review: defineTool(
    "Review a pull request: a text, and comments on lines of its diff. GitHub takes no request for changes to a pull request that " +
      "this instance has opened: review that with COMMENT. Approvals are left to people.",
    {
      number,
      event: z.enum(["COMMENT", "REQUEST_CHANGES"]).default("COMMENT"),
      body: body.default(""),
      comments: z
        .array(
          z.object({
            path: z.string().min(1).max(2_000),
            line: z.int().min(1).describe("In the file as the pull request leaves it (RIGHT), or as it was (LEFT)."),
            start_line: z.int().min(1).optional(),
            side: z.enum(["LEFT", "RIGHT"]).default("RIGHT"),
            body: body.min(1),
          }),
        )
        .max(60)
        .default([]),
    },
    async (work, place, { number: of, ...input }) => words(await review(work, place, of, input), "Written"),
  ),
  open_issue: defineTool(
    "Open an issue. The same title and text are opened once in a run.",
    { title, body: body.default(""), labels },
    async (work, place, input) => words(await openIssue(work, place, input), "Opened"),
  ),
};

function but(fault: Refusal | null): string {
  return fault === null
    ? ""
    : ` But not all of its labels or reviewers were set: ${fault.message ?? fault.reason ?? ""}`;
}

function words(done: Result<Done>, verb: string): Result<string> {
  if (!done.ok) return done;
  const { done: of, wasDone } = done.value;
  return success(wasDone ? `It was done before: ${of.seen.url}` : `${verb}: ${of.seen.url}`);
}
