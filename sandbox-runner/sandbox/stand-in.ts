/**
 * A credential that is worth nothing anywhere: the program of a prepared agent has it in place of a run's token, which nobody
 * knows when the program is started. The relay of its place, and no other, puts the run's token in its place, from the moment
 * on at which the program is given to a run. Before that, while the program practises, the relay answers it by itself.
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
  #practised: string | null = null;
  /** Settled with whether it goes on: whatever it holds. */
  #held: PromiseWithResolvers<boolean> | null = null;

  /** Whether its program practises for a run, and with which model; null for not. Never once there is a run. */
  practise(model: string | null): void {
    this.#practised = model;
  }

  /** @returns the model of a program that practises, where the request is one that it makes of it; null for every other. */
  practiceOf(request: Pick<IncomingMessage, "method" | "url" | "rawHeaders">): string | null {
    const isAsked = request.method === "POST" && request.url?.endsWith(`/proxy/${this.id}/model/v1/messages?beta=true`);
    return this.#run === null && isAsked && this.#placeIn(request) !== null ? this.#practised : null;
  }

  /** From now on its program is at a run's task, though the run has not got it yet: what it asks its model waits until it is lent. */
  hold(): void {
    this.#held ??= Promise.withResolvers();
  }

  /** Its program is not the run's: what that has asked is never sent. What another asks by the same stand-in waits in its turn. */
  drop(): void {
    this.#held?.resolve(false);
    this.#held = Promise.withResolvers();
  }

  /**
   * @returns what a request has to wait for that has the stand-in, and then whether it goes on; null for every other, and where nothing
   * is held.
   */
  heldUntil(request: Pick<IncomingMessage, "url" | "rawHeaders">): Promise<boolean> | null {
    return this.#run === null && this.#placeIn(request) !== null ? (this.#held?.promise ?? null) : null;
  }

  /** From now on it stands for this run's token, at the run's path to its model. Once. */
  lend(run: { id: string; token: string }): void {
    this.#run ??= run;
    this.#held?.resolve(true);
  }

  /**
   * Puts the run's own id and token into a request to the model that has those of the stand-in. Every other request is left as
   * it is, and is then nobody's: the paths of the instance are those of runs.
   */
  replaceIn(request: Pick<IncomingMessage, "url" | "headers" | "rawHeaders">): void {
    const place = this.#run === null ? null : this.#placeIn(request);
    if (this.#run === null || place === null) return;
    const { url = "", headers, rawHeaders } = request;
    const { origin, at } = place;
    const { id, token } = this.#run;
    request.url = `${origin}/proxy/${id}/${url.slice(`${origin}/proxy/${this.id}/`.length)}`;
    rawHeaders[at] = `Bearer ${token}`;
    headers.authorization = `Bearer ${token}`;
  }

  /** Where in a request the stand-in is; null where it is not, or something else is beside it. */
  #placeIn({ url = "", rawHeaders }: Pick<IncomingMessage, "url" | "rawHeaders">) {
    const origin = [`http://${INSTANCE_HOST}`, ""].find((begin) => url.startsWith(`${begin}/proxy/${this.id}/model/`));
    const places = rawHeaders.flatMap((name, index) =>
      index % 2 === 0 && name.toLowerCase() === "authorization" ? [index + 1] : [],
    );
    const [at, ...others] = places;
    if (origin === undefined || at === undefined || others.length > 0) return null;
    return isSame(rawHeaders[at] ?? "", `Bearer ${this.token}`) ? { origin, at } : null;
  }
}

function isSame(given: string, wanted: string): boolean {
  const [one, other] = [Buffer.from(given), Buffer.from(wanted)];
  return one.length === other.length && timingSafeEqual(one, other);
}
