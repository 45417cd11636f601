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

export function eventKey(name: string): string {
  return `event:${composed(name)}`;
}

/** @param routine an id or a name, as the trigger has it. */
export function routineKey(routine: string): string {
  return isRoutineId(routine) ? `routine-id:${routine}` : `routine-name:${composed(routine)}`;
}

/** The keys under which others wait for a routine. @param names that it has, or had. */
export function routineKeys(id: string, names: readonly string[]): string[] {
  return [...new Set([id, ...names].map(routineKey))];
}

/** What a trigger waits for. A webhook has an endpoint of its own: it is not looked for. */
export function subscriptionsOf(trigger: Trigger, repositories: readonly (number | string)[]): string[] {
  switch (trigger.type) {
    case "github":
      return [...new Set(repositories.map((repository) => githubKey(repository, trigger.event)))];
    case "event":
      return [eventKey(trigger.name)];
    case "routine":
      return [routineKey(trigger.routine)];
    case "api":
    case "schedule":
    case "webhook":
    case "watch":
      return [];
  }
}
