/**
 * A credential that is worth nothing anywhere: the program of a prepared agent has it in place of a run's token, which nobody
 * knows when the program is started. The relay of its place, and no other, puts the run's token in its place, from the moment
 * on at which the program is given to a run.
 */
import { randomBytes, timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { INSTANCE_HOST } from "#protocol/container-brief.ts";

const BYTES = 24;

export class StandIn {
  /** In paths, in place of the run's id. */
  readonly id = `place_${randomBytes(BYTES).toString("hex")}`;
  readonly token = `stand-in-${randomBytes(BYTES).toString("hex")}`;
  #run: { id: string; token: string } | null = null;

  /** From now on it stands for this run's token, at the run's path to its model. Once. */
  lend(run: { id: string; token: string }): void {
    this.#run ??= run;
  }

  /**
   * Puts the run's own id and token into a request to the model that has those of the stand-in. Every other request is left as
   * it is, and is then nobody's: the paths of the instance are those of runs.
   */
  replaceIn(request: Pick<IncomingMessage, "url" | "headers" | "rawHeaders">): void {
    const { url = "", headers, rawHeaders } = request;
    const origin = [`http://${INSTANCE_HOST}`, ""].find((begin) => url.startsWith(`${begin}/proxy/${this.id}/model/`));
    const places = rawHeaders.flatMap((name, index) =>
      index % 2 === 0 && name.toLowerCase() === "authorization" ? [index + 1] : [],
    );
    const [at, ...others] = places;
    if (this.#run === null || origin === undefined || at === undefined || others.length > 0) return;
    if (!isSame(rawHeaders[at] ?? "", `Bearer ${this.token}`)) return;
    const { id, token } = this.#run;
    request.url = `${origin}/proxy/${id}/${url.slice(`${origin}/proxy/${this.id}/`.length)}`;
    rawHeaders[at] = `Bearer ${token}`;
    headers.authorization = `Bearer ${token}`;
  }
}

function isSame(given: string, wanted: string): boolean {
  const [one, other] = [Buffer.from(given), Buffer.from(wanted)];
  return one.length === other.length && timingSafeEqual(one, other);
}
