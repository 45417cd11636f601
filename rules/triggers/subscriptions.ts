/** The keys by which events find the triggers that wait for them. Pure. */
import { composed } from "#protocol/characters.ts";
import type { Repository } from "#protocol/repository.ts";
import { isRoutineId, type Trigger } from "#protocol/triggers.ts";

/** Where a repository lies: `acme/app` on `github.com`; both in lower case. */
export interface RepositoryPlace {
  host: string;
  fullName: string;
}

export function repositoryPlace(repository: Pick<Repository, "url">): RepositoryPlace {
  const { host, pathname } = new URL(repository.url);
  const fullName = pathname.replace(/^\/+|\/+$/g, "").replace(/\.git$/, "");
  return { host: host.toLowerCase(), fullName: fullName.toLowerCase() };
}

/** A place as one text. */
export function placeKey({ host, fullName }: RepositoryPlace): string {
  return `${host}/${fullName}`;
}

/** @param repository its numeric id, once it is known, else its full name in lower case. */
export function githubKey(repository: number | string, event: string): string {
  return `github:${repository}:${event}`;
}

function eventKey(name: string): string {
  return `event:${name}`;
}

/** @param routine an id or a name, as the trigger has it. */
function routineKey(routine: string): string {
  return isRoutineId(routine) ? `routine-id:${routine}` : `routine-name:${routine}`;
}

/**
 * The spellings under which a name may be kept: triggers that were saved before names were compared by what they say are kept as
 * they were written, until their routine is saved again.
 */
function spellings(name: string): string[] {
  return [...new Set([composed(name), name])];
}

/** The keys under which triggers wait for an event of this name. */
export function eventKeys(name: string): string[] {
  return spellings(name).map(eventKey);
}

/** The keys under which others wait for a routine. @param names that it has, or had. */
export function routineKeys(id: string, names: readonly string[]): string[] {
  return [...new Set([id, ...names].flatMap(spellings).map(routineKey))];
}

/** What a trigger waits for. A webhook has an endpoint of its own: it is not looked for. */
export function subscriptionsOf(trigger: Trigger, repositories: readonly (number | string)[]): string[] {
  switch (trigger.type) {
    case "github":
      return [...new Set(repositories.map((repository) => githubKey(repository, trigger.event)))];
    case "event":
      return [eventKey(composed(trigger.name))];
    case "routine":
      return [routineKey(composed(trigger.routine))];
    case "api":
    case "schedule":
    case "webhook":
    case "watch":
      return [];
  }
}
