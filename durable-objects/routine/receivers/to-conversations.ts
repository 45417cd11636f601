/** Calls to R2 for conversations: older parts are moved there, and what no row names any more is removed. */
import { kindOf } from "#protocol/ids.ts";
import type { Conversations } from "../conversations/conversations.ts";
import { conversationFolder, partsKey, workspaceKey } from "../conversations/r2-keys.ts";
import type { Part } from "../conversations/stored-conversation.ts";
import type { DefinitionStore } from "../definition/definition-store.ts";
import type { Receiver } from "../outbox/lane.ts";
import type { OwedKind } from "../outbox/outbox.ts";
import type { RunRow, RunStore } from "../runs/run-store.ts";
import type { Work } from "../work.ts";
import { OneAtATime } from "./one-at-a-time.ts";
import { removeUnnamed } from "./remove-unnamed.ts";

/** Of the parts that lie in R2 together, before they are compressed. */
const MOVED_BYTES = 4_194_304;
/** How many times a call moves parts; what is left is owed again. */
const MOVES_AT_ONCE = 4;

interface Parts {
  bucket: Pick<R2Bucket, "put" | "list" | "delete">;
  conversations: Conversations;
  definitions: DefinitionStore;
  runs: { queue: Pick<RunStore["queue"], "unsettled">; get(id: string): RunRow | null };
  work: Work;
}

/** Moving and removing wait for each other, see `OneAtATime`. */
export class ToConversations implements Receiver {
  readonly name = "the bucket";
  readonly sizes = [1];
  readonly atOnce = 1;
  readonly #parts: Parts;
  readonly #calls = new OneAtATime();

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  async deliver(kind: OwedKind, refs: readonly string[]): Promise<readonly string[]> {
    const routineId = this.#parts.definitions.row()?.id;
    const [ref] = refs;
    if (routineId === undefined || ref === undefined) return [];
    const isDone = await this.#calls.make(() =>
      kind === "move_conversation" ? this.#move(routineId, ref) : this.#tidy(routineId, ref),
    );
    return isDone ? [] : refs;
  }

  /** @returns whether no more is to be moved. */
  async #move(routineId: string, sessionId: string): Promise<boolean> {
    const { bucket, conversations, work } = this.#parts;
    for (let moves = 0; moves < MOVES_AT_ONCE; moves += 1) {
      const parts = conversations.movable(sessionId, MOVED_BYTES);
      const [first, last] = [parts[0], parts.at(-1)];
      if (first === undefined || last === undefined) return true;
      const key = partsKey(routineId, sessionId, first.n, last.n);
      await bucket.put(key, await compressed(parts));
      work.change((tx) => conversations.moved(tx, sessionId, parts, key));
    }
    return false;
  }

  /** @param ref a session, or the routine for all that is its own. @returns whether nothing is left to be removed. */
  async #tidy(routineId: string, ref: string): Promise<boolean> {
    const { bucket, conversations } = this.#parts;
    const isAll = kindOf(ref) === "routine";
    const prefix = conversationFolder(routineId, isAll ? undefined : ref);
    const named = () => new Set(isAll ? [] : [...conversations.keys(ref), ...this.#beingSent(routineId, ref)]);
    return await removeUnnamed(bucket, prefix, named);
  }

  /** Workspaces that attempts which are on may be sending just now: no row names them yet. */
  #beingSent(routineId: string, sessionId: string): string[] {
    const { runs } = this.#parts;
    return runs.queue.unsettled().flatMap((id) => {
      const row = runs.get(id);
      if (row === null || row.sessionId !== sessionId) return [];
      return [workspaceKey(routineId, sessionId, { run_id: id, generation: row.doc.attempt })];
    });
  }
}

async function compressed(parts: readonly Part[]): Promise<ArrayBuffer> {
  const text = new Blob(parts.map(({ body }) => body ?? ""));
  return await new Response(text.stream().pipeThrough(new CompressionStream("gzip"))).arrayBuffer();
}
