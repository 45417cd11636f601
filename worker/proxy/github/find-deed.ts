/** Looks at GitHub whether a deed has been done, by its marker: in lists of what it is about, for searches of GitHub's are minutes behind. */
import { z } from "zod";
import { type Result, success } from "#protocol/errors.ts";
import type { DoneDeed, SoughtDeed } from "#protocol/github-deed.ts";
import { deedIn } from "#rules/run/deed-marker.ts";
import { withoutSense } from "#worker/github/github-api.ts";
import type { Purpose } from "#worker/github/installation-tokens.ts";
import type { GithubCalls, GithubPlace } from "./github-calls.ts";

const PER_PAGE = 100;
/** How many pages are looked through. */
const PAGES = 10;
/** GitHub's clock and the instance's differ by less. */
const CLOCKS_MS = 120_000;
const REPOSITORY = "GET /repos/{owner}/{repo}";

/** What the instance reads of what it has written; GitHub's answer has more. */
export const saidSchema = z.object({ html_url: z.string(), number: z.int().optional(), body: z.string().nullish() });
const pullSchema = z.object({ ...saidSchema.shape, number: z.int(), base: z.object({ ref: z.string() }) });

/** @param sinceMs when it was begun. @returns null where GitHub has nothing with its marker. */
export async function findDeed(
  calls: GithubCalls,
  place: GithubPlace,
  deed: SoughtDeed,
  sinceMs: number,
): Promise<Result<DoneDeed | null>> {
  const since = new Date(sinceMs - CLOCKS_MS).toISOString();
  const [purpose, route, given] = whereToLook(place, deed, since);
  for (let page = 1; page <= PAGES; page += 1) {
    const answer = await calls.ask(place, purpose, route, { ...given, per_page: PER_PAGE, page });
    if (!answer.ok) return answer;
    // A list that can't be read is no list without it.
    const items = z.array(z.unknown()).safeParse(answer.value.data);
    if (!items.success) return withoutSense();
    const found = items.data.find((item) => deedIn(saidSchema.safeParse(item).data?.body ?? "") === deed.id);
    if (found !== undefined) return asDone(place, deed, found);
    if (!answer.value.hasMore) break;
  }
  return success(null);
}

function whereToLook(
  { owner }: GithubPlace,
  { kind, branch, about }: SoughtDeed,
  since: string,
): [purpose: Purpose, route: string, given: Record<string, unknown>] {
  switch (kind) {
    case "comment":
      return ["discussion", `${REPOSITORY}/issues/{issue_number}/comments`, { issue_number: about, since }];
    case "review":
      return ["pull_request", `${REPOSITORY}/pulls/{pull_number}/reviews`, { pull_number: about }];
    case "open_issue":
      return ["discussion", `${REPOSITORY}/issues`, { since, state: "all" }];
    case "open_pull_request":
    case "update_pull_request":
      return ["pull_request", `${REPOSITORY}/pulls`, { head: `${owner}:${branch}`, state: "all" }];
  }
}

/** @param told what GitHub tells of what was written. */
export function asDone(place: GithubPlace, { kind, branch, about }: SoughtDeed, told: unknown): Result<DoneDeed> {
  if (kind === "open_pull_request" || kind === "update_pull_request") {
    const pull = pullSchema.safeParse(told);
    if (!pull.success) return withoutSense();
    const { number, html_url: url, base } = pull.data;
    const seen = { repository: place.url, branch: branch ?? "", base: base.ref, number, url };
    return success({ is: "pull_request", seen, change: kind === "open_pull_request" ? "opened" : "updated" });
  }
  const said = saidSchema.safeParse(told);
  const number = about ?? said.data?.number;
  if (!said.success || number === undefined) return withoutSense();
  const of = kind === "open_issue" ? "issue" : kind;
  return success({ is: "comment", seen: { kind: of, repository: place.url, number, url: said.data.html_url } });
}
