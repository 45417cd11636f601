/** Calls to R2 for files that runs have shown: what no row names any more is removed. */
import { kindOf } from "#protocol/ids.ts";
import type { DefinitionStore } from "../definition/definition-store.ts";
import type { Receiver } from "../outbox/lane.ts";
import type { OwedKind } from "../outbox/outbox.ts";
import { type Artifacts, artifactKey } from "../sessions/artifacts.ts";

/** How many objects R2 lists, and removes, at once. */
const REMOVED_AT_ONCE = 1_000;

interface Parts {
  bucket: Pick<R2Bucket, "list" | "delete">;
  artifacts: Artifacts;
  definitions: DefinitionStore;
}

export class ToArtifacts implements Receiver {
  readonly name = "the bucket of shown files";
  readonly sizes = [1];
  readonly atOnce = 1;
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  async deliver(_kind: OwedKind, refs: readonly string[]): Promise<readonly string[]> {
    const { bucket, artifacts, definitions } = this.#parts;
    const routineId = definitions.row()?.id;
    const [ref] = refs;
    if (routineId === undefined || ref === undefined) return [];
    const isAll = kindOf(ref) === "routine";
    const prefix = artifactKey(routineId, isAll ? undefined : ref);
    const { objects, truncated } = await bucket.list({ prefix, limit: REMOVED_AT_ONCE });
    const kept = isAll ? new Set<string>() : artifacts.ids(ref);
    const gone = objects.map(({ key }) => key).filter((key) => !kept.has(key.slice(prefix.length)));
    if (gone.length > 0) await bucket.delete(gone);
    return !truncated || gone.length === 0 ? [] : refs;
  }
}
