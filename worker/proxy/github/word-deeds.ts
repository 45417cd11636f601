/** What a run says at GitHub: comments, reviews with lines, and issues. */
import { type Result, refuse } from "#protocol/errors.ts";
import { type Done, doDeed } from "./deeds.ts";
import { asDone } from "./find-deed.ts";
import type { GithubPlace } from "./github-calls.ts";
import type { GithubWork } from "./github-work.ts";

export function comment(work: GithubWork, place: GithubPlace, number: number, body: string): Promise<Result<Done>> {
  return doDeed(work, place, {
    kind: "comment",
    branch: null,
    about: number,
    content: [number, body],
    make: async (mark, sought) => {
      const route = "POST /repos/{owner}/{repo}/issues/{issue_number}/comments";
      const said = await work.ask(place, "discussion", route, { issue_number: number, body: mark(body) });
      return said.ok ? asDone(place, sought, said.value.data) : said;
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
  return await doDeed(work, place, {
    kind: "review",
    branch: null,
    about: number,
    content: [number, event, body, comments],
    make: async (mark, sought) => {
      const lines = comments.map(({ body: words, start_line, side, ...line }) => {
        const start = start_line === undefined ? {} : { start_line, start_side: side };
        return { ...line, side, ...start, body: mark(words) };
      });
      const wanted = { pull_number: number, event, body: mark(body), comments: lines };
      const route = "POST /repos/{owner}/{repo}/pulls/{pull_number}/reviews";
      const said = await work.ask(place, "pull_request", route, wanted);
      return said.ok ? asDone(place, sought, said.value.data) : said;
    },
  });
}

export function openIssue(
  work: GithubWork,
  place: GithubPlace,
  { title, body, labels }: { title: string; body: string; labels: readonly string[] },
): Promise<Result<Done>> {
  return doDeed(work, place, {
    kind: "open_issue",
    branch: null,
    about: null,
    content: [title, body],
    make: async (mark, sought) => {
      const wanted = { title, body: mark(body), ...(labels.length === 0 ? {} : { labels }) };
      const opened = await work.ask(place, "discussion", "POST /repos/{owner}/{repo}/issues", wanted);
      return opened.ok ? asDone(place, sought, opened.value.data) : opened;
    },
  });
}
