/** Pure: the demo routine as it is created, and how it is recognised. */
import type { Routine } from "#protocol/routine.ts";
import { DEMO_REPOSITORY } from "#scripts/demo-upstream/demo-history.ts";

const DEMO_TAGS = { demo: "changelog" };

const PROMPT = `Keep the changelog of this repository up to date.

1. Find the last release by its tag, and read what has been committed since.
2. Compare it with CHANGELOG.md. Users care about what was added, changed and fixed; leave housekeeping out.
3. If something is missing, add a section for it above the newest one, in the style of the file.
4. Commit that on a new branch whose name begins with claude/, and push the branch.
5. Report the result: done, nothing_to_do when the changelog tells everything already, or blocked with the reason.`;

/** @param repository the address of the demo upstream's repository. */
export function demoRoutineInput(repository: string) {
  return {
    name: "Changelog demo",
    prompt: PROMPT,
    repositories: [{ url: repository }],
    limits: { timeout: "10m", turns: 50 },
    tags: DEMO_TAGS,
    triggers: [{ type: "api" as const }],
  };
}

export function isDemoRoutine(routine: Routine): boolean {
  return routine.tags["demo"] === DEMO_TAGS.demo;
}

/**
 * What must change so that the routine can be fired and finds the upstream where it listens this time; null when nothing
 * must. Whatever else its owner made of it stays.
 */
export function demoRoutinePatch({ repositories, triggers }: Routine, repository: string) {
  const isMoved = repositories.some(({ url }) => url !== repository && isDemoAddress(url));
  const hasTrigger = triggers.some(({ type }) => type === "api");
  if (!isMoved && hasTrigger) return null;
  const moved = repositories.map((one) => (isDemoAddress(one.url) ? { ...one, url: repository } : one));
  const types = triggers.map(({ type }) => ({ type }));
  return {
    ...(isMoved ? { repositories: moved } : {}),
    ...(hasTrigger ? {} : { triggers: [...types, { type: "api" as const }] }),
  };
}

function isDemoAddress(url: string): boolean {
  const { hostname, pathname } = new URL(url);
  return hostname === "127.0.0.1" && pathname === `/${DEMO_REPOSITORY}.git`;
}
