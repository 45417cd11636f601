/** What is owed to D1: the routine's own entry, and its runs. */

import { forgetRoutine, projectRoutine, projectRuns, type RoutineProjection } from "#instance/d1/routine-index.ts";
import { withinDeadline } from "#instance/in-time.ts";
import type { DefinitionStore, RoutineRow } from "../definition/definition-store.ts";
import type { RunStore } from "../runs/run-store.ts";

export interface IndexParts {
  runs: Pick<RunStore, "documents">;
  definitions: Pick<DefinitionStore, "row">;
  index: D1Database;
  /** The routine as D1 is to have it. */
  project: (row: RoutineRow) => RoutineProjection;
}

/** What one write to the index carries, in UTF-16 units; a run that is longer goes alone. */
const INDEX_WRITE_LENGTH = 262_144;

export class ToIndex {
  readonly #parts: IndexParts;
  #writtenVersion = 0;

  constructor(parts: IndexParts) {
    this.#parts = parts;
  }

  /** The version of the routine that D1 has, or a later one: what this object has seen it take in. 0 before that. */
  get writtenVersion(): number {
    return this.#writtenVersion;
  }

  async projectRoutine(): Promise<void> {
    const { definitions, index, project } = this.#parts;
    const row = definitions.row();
    if (row === null) return;
    // Of a deleted routine nothing is written any more: the write that takes it out is owed.
    if (row.status !== "deleted") await withinDeadline(projectRoutine(index, project(row)));
    this.#writtenVersion = Math.max(this.#writtenVersion, row.version);
  }

  async forgetRoutine(id: string): Promise<void> {
    await withinDeadline(forgetRoutine(this.#parts.index, id, Date.now()));
  }

  async projectRuns(ids: readonly string[]): Promise<void> {
    const { runs, definitions, index } = this.#parts;
    for (let rest = ids.toSorted(); rest.length > 0; ) {
      const documents = runs.documents(rest, INDEX_WRITE_LENGTH);
      const last = documents.at(-1)?.id;
      if (last === undefined || definitions.row()?.status === "deleted") return;
      await withinDeadline(projectRuns(index, documents));
      rest = rest.filter((id) => id > last);
    }
  }
}
