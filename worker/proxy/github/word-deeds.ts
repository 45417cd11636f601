/** What a run says at GitHub: comments, reviews with lines, and issues. */
import { z } from "zod";
import { type Result, refuse, success } from "#protocol/errors.ts";
import type { DoneDeed } from "#protocol/github-deed.ts";
import { deedIn } from "#rules/run/deed-marker.ts";
import { withoutSense } from "#worker/github/github-api.ts";
import type { Purpose } from "#worker/github/installation-tokens.ts";
import { type Done, doDeed } from "./deeds.ts";
import type { GithubPlace, GithubWork } from "./github-work.ts";

const PER_PAGE = 100;
/** How many pages are looked through for what an earlier call may have done. */
const PAGES = 10;

const saidSchema = z.object({ html_url: z.string(), number: z.int().optional(), body: z.string().nullish() });

interface Said {
  kind: "comment" | "review" | "issue";
  place: GithubPlace;
  /** Of the issue or pull request; null for an issue that is to be opened. */
  number: number | null;
}

export function comment(work: GithubWork, place: GithubPlace, number: number, body: string): Promise<Result<Done>> {
  const said: Said = { kind: "comment", place, number };
  return doDeed(work, place, {
    kind: "comment",
    branch: null,
    content: [number, body],
    find: (deedId, since) =>
      look(work, said, deedId, "discussion", "GET /repos/{owner}/{repo}/issues/{issue_number}/comments", {
        issue_number: number,
        since,
      }),
    make: async (mark) => {
      const route = "POST /repos/{owner}/{repo}/issues/{issue_number}/comments";
      return told(said, await work.ask(place, "discussion", route, { issue_number: number, body: mark(body) }));
    },
  });
}

export interface LineComment {
  path: string;
  line: number;
  start_line?: number | undefined;
  side: "LEFT" | "RIGHT";
  body: string;
}

export interface ReviewInput {
  event: "COMMENT" | "REQUEST_CHANGES" | "APPROVE";
  body: string;
  comments: readonly LineComment[];
}

export async function review(
  work: GithubWork,
  place: GithubPlace,
  number: number,
  { event, body, comments }: ReviewInput,
): Promise<Result<Done>> {
  if (event === "APPROVE") {
    return refuse("github_write_refused", {
      reason: "an approval can let code be merged, and is a person's to give",
      hint: "Review with COMMENT and say that you would approve.",
    });
  }
  const said: Said = { kind: "review", place, number };
  return await doDeed(work, place, {
    kind: "review",
    branch: null,
    content: [number, event, body, comments],
    find: (deedId) =>
      look(work, said, deedId, "pull_request", "GET /repos/{owner}/{repo}/pulls/{pull_number}/reviews", {
        pull_number: number,
      }),
    make: async (mark) => {
      const lines = comments.map(({ body: words, start_line, side, ...line }) => {
        const start = start_line === undefined ? {} : { start_line, start_side: side };
        return { ...line, side, ...start, body: mark(words) };
      });
      const wanted = { pull_number: number, event, body: mark(body), comments: lines };
      return told(
        said,
        await work.ask(place, "pull_request", "POST /repos/{owner}/{repo}/pulls/{pull_number}/reviews", wanted),
      );
    },
  });
}

export function openIssue(
  work: GithubWork,
  place: GithubPlace,
  { title, body, labels }: { title: string; body: string; labels: readonly string[] },
): Promise<Result<Done>> {
  const said: Said = { kind: "issue", place, number: null };
  return doDeed(work, place, {
    kind: "open_issue",
    branch: null,
    content: [title, body],
    find: (deedId, since) =>
      look(work, said, deedId, "discussion", "GET /repos/{owner}/{repo}/issues", { since, state: "all" }),
    make: async (mark) => {
      const wanted = { title, body: mark(body), ...(labels.length === 0 ? {} : { labels }) };
      return told(said, await work.ask(place, "discussion", "POST /repos/{owner}/{repo}/issues", wanted));
    },
  });
}

/** Looks through a list for the marker of a deed. */
async function look(
  work: GithubWork,
  said: Said,
  deedId: string,
  purpose: Purpose,
  route: string,
  given: Record<string, unknown>,
): Promise<Result<DoneDeed | null>> {
  for (let page = 1; page <= PAGES; page += 1) {
    const answer = await work.ask(said.place, purpose, route, { ...given, per_page: PER_PAGE, page });
    if (!answer.ok) return answer;
    // A list that can't be read is no list without it.
    const items = z.array(z.unknown()).safeParse(answer.value.data);
    if (!items.success) return withoutSense();
    const found = items.data
      .map((item) => saidSchema.safeParse(item).data)
      .find((item) => deedIn(item?.body ?? "") === deedId);
    if (found !== undefined) return success(asDone(said, found));
    if (!answer.value.hasMore) break;
  }
  return success(null);
}

function told(said: Said, answer: Result<{ data: unknown }>): Result<DoneDeed> {
  if (!answer.ok) return answer;
  const read = saidSchema.safeParse(answer.value.data);
  return read.success ? success(asDone(said, read.data)) : withoutSense();
}

function asDone(
  { kind, place, number }: Said,
  { html_url: url, number: ofIssue = 1 }: z.output<typeof saidSchema>,
): DoneDeed {
  return { is: "comment", seen: { kind, repository: place.url, number: number ?? ofIssue, url } };
}
