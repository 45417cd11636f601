/** Pure: the demo routines as they are created, and how they are recognised: one writes, the other reviews what it pushed. */
import type { Routine } from "#protocol/routine.ts";
import { REVIEW_TASK } from "#scripts/demo-model/review-script.ts";
import { DEMO_REPOSITORY } from "#scripts/demo-upstream/demo-history.ts";

const BRANCH_PREFIX = "claude/";

const WRITER_PROMPT = `Keep the changelog of this repository up to date.

1. Find the last release by its tag, and read what has been committed since.
2. Compare it with CHANGELOG.md. Users care about what was added, changed and fixed; leave housekeeping out.
3. If something is missing, add a section for it above the newest one, in the style of the file.
4. Commit that on a new branch whose name begins with ${BRANCH_PREFIX}, and push the branch.
5. Report the result: done, nothing_to_do when the changelog tells everything already, or blocked with the reason.`;

const REVIEWER_PROMPT = `${REVIEW_TASK} to this repository.

The commit that was pushed is checked out. Read what its branch has beyond main, and what that changes. Where the changelog gains
entries, look whether each names a commit that is in the history, and whether it says what that commit does. Change nothing and push
nothing. Report the result: done with your findings in one sentence, or nothing_to_do when there is nothing beyond main.`;

/** One of the demo's routines. */
export interface DemoRoutine {
  /** For the person at the terminal. */
  title: string;
  /** Of the tag `demo`: by it the routine is known, whatever it is called. */
  tag: string;
  /** Whether it has to have a trigger for the API. */
  isFired: boolean;
  /** @param repository the address of the demo upstream's repository. */
  input: (repository: string) => Record<string, unknown>;
}

export const DEMO_WRITER: DemoRoutine = {
  title: "demo routine",
  tag: "changelog",
  isFired: true,
  input: (repository) => ({
    name: "Changelog demo",
    prompt: WRITER_PROMPT,
    repositories: [{ url: repository }],
    limits: { timeout: "10m", turns: 50 },
    tags: { demo: "changelog" },
    triggers: [{ type: "api" }],
  }),
};

/** The writer's pushes wake it. */
export const DEMO_REVIEWER: DemoRoutine = {
  title: "demo reviewer",
  tag: "changelog-review",
  isFired: false,
  input: (repository) => ({
    name: "Changelog review demo",
    prompt: REVIEWER_PROMPT,
    repositories: [{ url: repository }],
    limits: { timeout: "10m", turns: 30 },
    tags: { demo: "changelog-review" },
    triggers: [
      {
        type: "github",
        event: "push",
        filters: [
          { field: "ref", operator: "starts_with", value: `refs/heads/${BRANCH_PREFIX}` },
          { field: "deleted", operator: "equals", value: false },
        ],
      },
    ],
  }),
};

export function isDemoRoutine(routine: Routine, { tag }: DemoRoutine): boolean {
  return routine.tags["demo"] === tag;
}

/**
 * What must change so that the routine can be fired and finds the upstream where it listens this time; null when nothing
 * must. Whatever else its owner made of it stays.
 */
export function demoRoutinePatch({ repositories, triggers }: Routine, { isFired }: DemoRoutine, repository: string) {
  const isMoved = repositories.some(({ url }) => url !== repository && isDemoAddress(url));
  const hasTrigger = !isFired || triggers.some(({ type }) => type === "api");
  if (!isMoved && hasTrigger) return null;
  const moved = repositories.map((one) => (isDemoAddress(one.url) ? { ...one, url: repository } : one));
  return {
    ...(isMoved ? { repositories: moved } : {}),
    ...(hasTrigger ? {} : { triggers: [...triggers, { type: "api" as const }] }),
  };
}

function isDemoAddress(url: string): boolean {
  const { hostname, pathname } = new URL(url);
  return hostname === "127.0.0.1" && pathname === `/${DEMO_REPOSITORY}.git`;
}
