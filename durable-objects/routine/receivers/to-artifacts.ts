/** Calls to R2 for files that runs have shown: what no row names any more is removed. */
import { kindOf } from "#protocol/ids.ts";
import type { DefinitionStore } from "../definition/definition-store.ts";
import type { Receiver } from "../outbox/lane.ts";
import type { OwedKind } from "../outbox/outbox.ts";
import { type Artifacts, artifactKey } from "../sessions/artifacts.ts";
import { removeUnnamed } from "./remove-unnamed.ts";

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
    const named = () => new Set(isAll ? [] : [...artifacts.ids(ref)].map((id) => `${prefix}${id}`));
    return (await removeUnnamed(bucket, prefix, named)) ? [] : refs;
  }
}
