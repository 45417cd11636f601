/** Fires that come at one time are admitted in one transaction: the commit that each would wait for costs as much as what is decided of it. */
import type { Result } from "#protocol/errors.ts";
import type { OwnedId } from "#protocol/ids.ts";
import type { Admission, Wake } from "#protocol/occurrence.ts";

/** A fire that may go on to admission. */
export interface Fire {
  /** Of the routine. */
  id: OwnedId;
  event: Wake;
  isRepeat: boolean;
}

interface Waiting extends Fire {
  resolve: (answer: Result<Admission>) => void;
  reject: (error: unknown) => void;
}

/** So many at most are one piece of work, which nothing else of the object's interrupts. */
const AT_ONCE = 32;

export class FiresTogether {
  readonly #admit: (fires: readonly Fire[]) => readonly Result<Admission>[];
  #waiting: Waiting[] = [];

  /** @param admit answers each, in their order; where it throws, none is admitted. */
  constructor(admit: (fires: readonly Fire[]) => readonly Result<Admission>[]) {
    this.#admit = admit;
  }

  /** Whether there are others that wait, so that one more costs nothing. */
  get isWaiting(): boolean {
    return this.#waiting.length > 0;
  }

  /** Waits until what has arrived with it has been read, and is admitted with the fires among that. */
  add(fire: Fire): Promise<Result<Admission>> {
    const { promise, resolve, reject } = Promise.withResolvers<Result<Admission>>();
    this.#waiting.push({ ...fire, resolve, reject });
    if (this.#waiting.length === 1) void this.#admitSoon();
    return promise;
  }

  async #admitSoon(): Promise<void> {
    await scheduler.wait(0);
    const fires = this.#waiting.splice(0, AT_ONCE);
    if (this.#waiting.length > 0) void this.#admitSoon();
    this.#answer(fires);
  }

  /** One that can't be admitted takes no other with it. */
  #answer(fires: readonly Waiting[]): void {
    try {
      const answers = this.#admit(fires);
      for (const [place, { resolve, reject }] of fires.entries()) {
        const answer = answers[place];
        if (answer === undefined) reject(new Error("a fire was not answered"));
        else resolve(answer);
      }
    } catch (error) {
      const [only] = fires;
      if (fires.length === 1) only?.reject(error);
      else for (const fire of fires) this.#answer([fire]);
    }
  }
}
