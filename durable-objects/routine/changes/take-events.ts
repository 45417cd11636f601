/** What sources tell a routine: events for its triggers, and which names its repositories have. */
import type { DeliveryOutcome } from "#protocol/delivery.ts";
import { type Result, success } from "#protocol/errors.ts";
import type { SourceEvent } from "#protocol/source-event.ts";
import { placeKey, type RepositoryPlace, repositoryPlace } from "#rules/triggers/subscriptions.ts";
import type { DefinitionStore, RoutineRow } from "../definition/definition-store.ts";
import type { RepositoryIds, RepositoryLesson } from "../definition/repository-ids.ts";
import type { Outbox } from "../outbox/outbox.ts";
import type { Wakes } from "../wakes/wake.ts";
import type { Tx, Work } from "../work.ts";
import type { AwaitIndex } from "./await-index.ts";

/** How long to wait for D1 to have the ids; until it has them, a routine is found by the names. */
const INDEXED_WITHIN_MS = 5_000;

interface Parts {
  work: Work;
  definitions: DefinitionStore;
  repositoryIds: RepositoryIds;
  wakes: Wakes;
  outbox: Outbox;
  index: AwaitIndex;
}

export class TakeEvents {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** In a transaction of its own: an event that can't be taken in holds up no other. */
  take(event: SourceEvent): DeliveryOutcome[] {
    const { work, definitions, wakes } = this.#parts;
    return work.change((tx) => {
      const routine = definitions.row();
      if (routine === null) return [];
      const { outcomes, hasLearned } = wakes.event(tx, routine, event);
      if (hasLearned) this.#indexIds(tx, routine);
      return outcomes;
    });
  }

  /** Learns which repositories the routine's addresses stand for. Resolves when it is found by them. */
  async learn(lessons: readonly RepositoryLesson[]): Promise<Result<null>> {
    const { work, definitions, index } = this.#parts;
    const version = work.change((tx) => {
      const routine = definitions.row();
      if (routine === null) return null;
      const learned = lessons.filter((lesson) => this.#learnOne(tx, routine, lesson));
      return learned.length > 0 ? this.#indexIds(tx, routine) : null;
    });
    if (version !== null) await index.isIndexed(version, INDEXED_WITHIN_MS);
    return success(null);
  }

  /** @returns whether anything was learned. */
  #learnOne(tx: Tx, routine: RoutineRow, lesson: RepositoryLesson): boolean {
    const { definitions, repositoryIds } = this.#parts;
    const places = routine.definition.repositories.map(repositoryPlace).filter((place) => isMeant(place, lesson));
    const learned = places.map(placeKey).filter((key) => {
      const since = definitions.repositorySince((url) => placeKey(repositoryPlace({ url })) === key);
      return repositoryIds.learn(tx, key, lesson, since);
    });
    return learned.length > 0;
  }

  /** Has D1 find the routine by the ids that it has learned. @returns the routine's version with them. */
  #indexIds(tx: Tx, routine: RoutineRow): number {
    const { version } = this.#parts.definitions.update(tx, routine, {});
    this.#parts.outbox.owe(tx, "project_routine", routine.id);
    return version;
  }
}

function isMeant({ host, fullName }: RepositoryPlace, lesson: RepositoryLesson): boolean {
  return fullName === lesson.name && (lesson.host === null || lesson.host === host);
}
