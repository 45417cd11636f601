/** Calls to R2 for transcripts: those of sessions that rest are moved there, and what no row names any more is removed. */
import { kindOf } from "#protocol/ids.ts";
import type { DefinitionStore } from "../definition/definition-store.ts";
import type { Receiver } from "../outbox/lane.ts";
import type { Outbox, OwedKind } from "../outbox/outbox.ts";
import type { RunStore } from "../runs/run-store.ts";
import type { Movable, MovedTranscripts } from "../transcript/moved-transcripts.ts";
import { packPart, partKey, readPart, transcriptFolder } from "../transcript/transcript-parts.ts";
import type { Work } from "../work.ts";
import { OneAtATime } from "./one-at-a-time.ts";
import { removeUnnamed } from "./remove-unnamed.ts";

/** How many parts a call moves; what is left is owed again. */
const PARTS_AT_ONCE = 4;

interface Parts {
  bucket: Pick<R2Bucket, "put" | "get" | "list" | "delete">;
  moved: MovedTranscripts;
  definitions: Pick<DefinitionStore, "row">;
  runs: Pick<RunStore, "hasUnsettledRun">;
  outbox: Outbox;
  work: Work;
}

/** Moving and removing wait for each other, see `OneAtATime`. */
export class ToTranscripts implements Receiver {
  readonly name = "the bucket of transcripts";
  readonly sizes = [1];
  readonly atOnce = 1;
  readonly #parts: Parts;
  readonly #calls = new OneAtATime();
  /** How far all of a routine's keys have been looked at, for the next call. */
  #cursor: string | undefined;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  async deliver(kind: OwedKind, refs: readonly string[]): Promise<readonly string[]> {
    const routineId = this.#parts.definitions.row()?.id;
    const [ref] = refs;
    if (routineId === undefined || ref === undefined) return [];
    const isDone = await this.#calls.make(() =>
      kind === "move_transcript" ? this.#move(routineId, ref) : this.#tidy(routineId, ref),
    );
    return isDone ? [] : refs;
  }

  /** @returns whether no more is to be moved. */
  async #move(routineId: string, sessionId: string): Promise<boolean> {
    const { moved, runs, outbox, work } = this.#parts;
    for (let parts = 0; parts < PARTS_AT_ONCE; parts += 1) {
      const part = runs.hasUnsettledRun(sessionId) ? null : moved.movable(sessionId);
      if (part === null) return true;
      const key = partKey(routineId, sessionId, part.first, part.last);
      if (!(await this.#write(sessionId, key, part))) return true;
      await this.#compare(key, part);
      work.change((tx) => {
        // The session has been deleted meanwhile, perhaps after what it had in R2 was removed.
        if (!moved.moved(tx, sessionId, part, key)) outbox.owe(tx, "tidy_transcript", sessionId);
      });
    }
    return false;
  }

  /**
   * Where the session has been deleted meanwhile, what it had in R2 may have been removed before this was written, so it is
   * removed once more: also where no answer tells whether it was written. @returns whether the session is still there.
   */
  async #write(sessionId: string, key: string, part: Movable): Promise<boolean> {
    const { bucket, moved, outbox, work } = this.#parts;
    try {
      await bucket.put(key, await packPart(part.text));
    } finally {
      if (!moved.areHere(sessionId, part)) work.change((tx) => outbox.owe(tx, "tidy_transcript", sessionId));
    }
    return moved.areHere(sessionId, part);
  }

  /** @throws Error where R2 does not have it as it was written: then it is still here. */
  async #compare(key: string, { text }: Movable): Promise<void> {
    const { bucket } = this.#parts;
    if ((await readPart(bucket, key)) !== text) throw new Error(`the bucket has ${key} otherwise than it was written`);
  }

  /** @param ref a session, or the routine for all that is its own. @returns whether nothing is left to be removed. */
  async #tidy(routineId: string, ref: string): Promise<boolean> {
    const { bucket, moved } = this.#parts;
    if (kindOf(ref) !== "routine") {
      return await removeUnnamed(bucket, transcriptFolder(routineId, ref), () => moved.keys(ref));
    }
    const page = {
      prefix: transcriptFolder(routineId),
      ...(this.#cursor === undefined ? {} : { cursor: this.#cursor }),
    };
    const listed = await bucket.list(page);
    const keys = listed.objects.map(({ key }) => key);
    const named = moved.named(keys);
    const gone = keys.filter((key) => !named.has(key));
    if (gone.length > 0) await bucket.delete(gone);
    this.#cursor = listed.truncated ? listed.cursor : undefined;
    return !listed.truncated;
  }
}
