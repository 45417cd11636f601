/**
 * Whether there is an object that owns an id, found out before the object is asked: an object that is asked comes to be, if
 * only to say that it owns nothing, and a local instance keeps a file for each.
 * @see docs/decisions/0033-owners-are-looked-up.md
 */
import { withinDeadline } from "#instance/in-time.ts";
import { ownerKeyOf } from "#protocol/ids.ts";

/** Who knows which routines there are. Each may know of fewer than there are while it is being made again. */
export interface RoutineRegister {
  /** @param ownerKey 12 characters: see `ownerKeyOf`. */
  hasOwner(ownerKey: string): Promise<boolean>;
}

/** How many routines an isolate remembers: about 100 bytes each. */
const REMEMBERED = 20_000;
/** In milliseconds, for each register. Whoever asks has waited long enough then, and asks the object itself. */
const DEADLINE_MS = 1_000;

/** `unknown` where a register has not answered, and no other knows the routine. */
type LookedUp = "there" | "nowhere" | "unknown";

export class KnownRoutines {
  /** The keys that were found, the longest unused first. A routine that was there once is never looked up again. */
  readonly #found = new Set<string>();
  readonly #registers: readonly RoutineRegister[];

  /** @param registers asked in this order, until one knows the routine. */
  constructor(registers: readonly RoutineRegister[]) {
    this.#registers = registers;
  }

  /**
   * Whether the object of an id of any kind may be asked. False only when every register has said that it has no such
   * routine: while one does not answer, the routine is taken to be there, so that what is there can be reached.
   */
  async has(id: string): Promise<boolean> {
    const key = ownerKeyOf(id);
    if (key === null) return false;
    const found = this.#found.has(key) ? "there" : await this.#lookUp(key);
    // Whatever is made up while a register is away would be taken for a routine's ever after.
    if (found === "there") this.#remember(key);
    return found !== "nowhere";
  }

  /** A routine has been created. */
  add(id: string): void {
    const key = ownerKeyOf(id);
    if (key !== null) this.#remember(key);
  }

  #remember(key: string): void {
    this.#found.delete(key);
    this.#found.add(key);
    const [oldest] = this.#found;
    if (this.#found.size > REMEMBERED && oldest !== undefined) this.#found.delete(oldest);
  }

  /** Never rejects. */
  async #lookUp(key: string): Promise<LookedUp> {
    let isUnknown = false;
    for (const register of this.#registers) {
      try {
        if (await withinDeadline(register.hasOwner(key), DEADLINE_MS, "a register of routines")) return "there";
      } catch {
        // Nobody is told: what else asks the index or the roster fails as well, and says so.
        isUnknown = true;
      }
    }
    return isUnknown ? "unknown" : "nowhere";
  }
}
