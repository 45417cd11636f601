/** Ends the agent's program when its life says so. */
import type { AgentLife } from "./agent-end.ts";

export class Ending {
  readonly #life: Pick<AgentLife, "endsAtMs">;
  readonly #goesOn: () => Promise<boolean>;
  readonly #end: () => Promise<void>;
  #timer: NodeJS.Timeout | undefined;
  #isAsking = false;
  #hasBegun = false;

  /** @param goesOn asks, when it is time, whether the agent goes on after all. */
  constructor(life: Pick<AgentLife, "endsAtMs">, goesOn: () => Promise<boolean>, end: () => Promise<void>) {
    this.#life = life;
    this.#goesOn = goesOn;
    this.#end = end;
  }

  get hasBegun(): boolean {
    return this.#hasBegun;
  }

  /** To be called after whatever may have changed the moment. */
  look(): void {
    clearTimeout(this.#timer);
    const atMs = this.#life.endsAtMs;
    if (atMs === null || this.#isAsking || this.#hasBegun) return;
    this.#timer = setTimeout(() => void this.#endUnlessItGoesOn(), Math.max(0, atMs - performance.now()));
  }

  async #endUnlessItGoesOn(): Promise<void> {
    this.#isAsking = true;
    const goesOn = await this.#goesOn();
    this.#isAsking = false;
    if (goesOn) {
      this.look();
      return;
    }
    this.#hasBegun = true;
    await this.#end();
  }

  cancel(): void {
    clearTimeout(this.#timer);
  }
}
