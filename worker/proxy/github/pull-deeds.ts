/** Pull requests that a run opens and changes: from branches that its session has pushed, and no others. */
import { z } from "zod";
import { type Refusal, type Result, refuse, success } from "#protocol/errors.ts";
import type { DoneDeed } from "#protocol/github-deed.ts";
import { PULL_REQUEST_TITLE_LIMIT, type SeenPullRequest } from "#protocol/pull-request.ts";
import { beginningOf } from "#protocol/well-formed.ts";
import { runIn } from "#rules/run/deed-marker.ts";
import { withoutSense } from "#worker/github/github-api.ts";
import { openPullRequest } from "#worker/github/open-pull-request.ts";
import { type Done, doDeed } from "./deeds.ts";
import { asDone } from "./find-deed.ts";
import type { GithubPlace } from "./github-calls.ts";
import type { GithubWork } from "./github-work.ts";

/** What the instance reads of a pull request; GitHub's answer has more. */
const pullSchema = z.object({
  number: z.int(),
  html_url: z.string(),
  node_id: z.string().default(""),
  body: z.string().nullish(),
  head: z.object({ ref: z.string(), repo: z.object({ full_name: z.string() }).nullish() }),
  base: z.object({ ref: z.string() }),
});

export interface PullInput {
  branch: string;
  /** Undefined for the repository's default branch. */
  base?: string | undefined;
  title: string;
  body: string;
  draft: boolean;
}

export interface OpenedPull extends Done {
  seen: SeenPullRequest;
}

/** One that is open from the branch is found, and nothing of it is changed. */
export async function openPull(work: GithubWork, place: GithubPlace, input: PullInput): Promise<Result<OpenedPull>> {
  const { branch, base } = input;
  let wasOpen = false;
  const done = await doDeed(work, place, {
    kind: "open_pull_request",
    branch,
    about: null,
    // GitHub has one at most that is open from a branch into another.
    content: null,
    make: async (mark) => {
      const plan = {
        repository: place.url,
        branch,
        base: base ?? null,
        isBaseNamed: base !== undefined,
        title: beginningOf(input.title, PULL_REQUEST_TITLE_LIMIT),
        body: mark(withLink(work, input.body)),
        draft: input.draft,
        run_id: work.lease.run_id,
      };
      const opened = await openPullRequest(work.deps, plan, Date.now());
      if (!opened.ok) return opened;
      const { pull } = opened.value;
      wasOpen = opened.value.wasOpen;
      const seen = { repository: place.url, branch, base: pull.base.ref, number: pull.number, url: pull.html_url };
      // One that a person has opened, or another run, is not this run's; one whose opening was not answered is.
      const isOwn = !wasOpen || runIn(pull.body ?? "") === work.lease.run_id;
      return success({ is: "pull_request", seen, change: isOwn ? "opened" : "found" } satisfies DoneDeed);
    },
  });
  if (!done.ok) return done;
  return success({ ...done.value, wasDone: wasOpen, seen: done.value.done.seen as SeenPullRequest });
}

export interface PullChange {
  title?: string | undefined;
  body?: string | undefined;
  base?: string | undefined;
  state?: "open" | "closed" | undefined;
}

export interface Added {
  /** Whether anything was. */
  isChanged: boolean;
  /** Why not all was. */
  fault: Refusal | null;
}

export interface UpdatedPull extends Done {
  /** Why labels or reviewers were not added, where something else was changed. */
  fault: Refusal | null;
}

/** @param also what else is done to it, once it is known to be the session's own. */
export async function updatePull(
  work: GithubWork,
  place: GithubPlace,
  pullNumber: number,
  change: PullChange,
  also: () => Promise<Added>,
): Promise<Result<UpdatedPull>> {
  const at = { pull_number: pullNumber };
  const found = await work.ask(place, "pulls", "GET /repos/{owner}/{repo}/pulls/{pull_number}", at);
  if (!found.ok) return found;
  const read = pullSchema.safeParse(found.value.data);
  if (!read.success) return withoutSense();
  const pull = read.data;
  const from = pull.head.repo?.full_name.toLowerCase();
  if (from !== `${place.owner}/${place.repo}`.toLowerCase()) {
    return refuse("github_write_refused", {
      reason: "the pull request is from another repository's branch",
      hint: "Comment on it, or review it.",
    });
  }
  const { body, ...rest } = change;
  let fault: Refusal | null = null;
  const done = await doDeed(work, place, {
    kind: "update_pull_request",
    branch: pull.head.ref,
    about: pullNumber,
    content: null,
    make: async (mark, sought) => {
      const set = { ...rest, ...(body === undefined ? {} : { body: mark(withLink(work, body)) }) };
      const wanted = Object.fromEntries(Object.entries(set).filter(([, value]) => value !== undefined));
      const isSet = Object.keys(wanted).length > 0;
      if (isSet) {
        const route = "PATCH /repos/{owner}/{repo}/pulls/{pull_number}";
        const changed = await work.ask(place, "pull_request", route, { ...at, ...wanted });
        if (!changed.ok) return changed;
      }
      const added = await also();
      // What was changed is told, and recorded, whatever became of the rest.
      if (added.fault !== null && !isSet && !added.isChanged) return { ok: false, refusal: added.fault };
      fault = added.fault;
      return asDone(place, sought, { ...pull, base: { ref: change.base ?? pull.base.ref } });
    },
  });
  return done.ok ? success({ ...done.value, fault }) : done;
}

/** @param reviewers logins, or `org/team`. */
export async function addToPull(
  work: GithubWork,
  place: GithubPlace,
  pullNumber: number,
  { labels, reviewers }: { labels: readonly string[]; reviewers: readonly string[] },
): Promise<Added> {
  const asked: Result<unknown>[] = [];
  if (labels.length > 0) {
    const route = "POST /repos/{owner}/{repo}/issues/{issue_number}/labels";
    asked.push(await work.ask(place, "discussion", route, { issue_number: pullNumber, labels }));
  }
  if (reviewers.length > 0) {
    const teams = reviewers.flatMap((name) => name.split("/")[1] ?? []);
    const people = reviewers.filter((name) => !name.includes("/"));
    const route = "POST /repos/{owner}/{repo}/pulls/{pull_number}/requested_reviewers";
    const wanted = { pull_number: pullNumber, reviewers: people, team_reviewers: teams };
    asked.push(await work.ask(place, "pull_request", route, wanted));
  }
  const [failed] = asked.filter((one) => !one.ok);
  return { isChanged: asked.some(({ ok }) => ok), fault: failed?.ok === false ? failed.refusal : null };
}

function withLink({ link, lease }: GithubWork, body: string): string {
  const whose = `Opened by a run of the session ${link} (run \`${lease.run_id}\`).`;
  if (body.includes(whose)) return body;
  return body.trim() === "" ? whose : `${body.trim()}\n\n---\n\n${whose}`;
}
