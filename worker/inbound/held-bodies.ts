/** Bodies that have to be held before it is known who sent them: all of one isolate's together have a bound. */
import { type Result, refuse } from "#protocol/errors.ts";
import { readBytes } from "../http/read-bytes.ts";

/** A body that is shorter is always read: hardly any webhook is longer. */
const FREE_BYTES = 524_288;
/** Of an isolate's 128 MiB; a body that comes in pieces takes twice its length for a moment. */
const ROOM_BYTES = 25_165_824;
const RETRY_AFTER_S = 5;

export class HeldBodies {
  #left = ROOM_BYTES;

  /**
   * Reads a body and does what is to be done with it; until then it takes up room.
   * @returns `overloaded` when other bodies have taken the room.
   */
  async use(
    request: Request,
    limitBytes: number,
    work: (body: Result<Uint8Array<ArrayBuffer>>) => Promise<Response>,
  ): Promise<Response> {
    let come = 0;
    let taken = 0;
    const take = (bytes: number) => {
      come += bytes;
      const more = Math.max(0, come - FREE_BYTES) - taken;
      if (more > this.#left) return refuse("overloaded", { retry_after_s: RETRY_AFTER_S });
      taken += more;
      this.#left -= more;
      return null;
    };
    try {
      return await work(await readBytes(request, limitBytes, take));
    } finally {
      this.#left += taken;
    }
  }
}
