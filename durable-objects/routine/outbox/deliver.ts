/** Makes the calls that the outbox holds, each by the lane of its receiver. */
import type { Work } from "../work.ts";
import { Lane, type Receiver } from "./lane.ts";
import type { Outbox, Owed, OwedKind } from "./outbox.ts";

/** Who takes which kind of call. */
export type Receivers = Readonly<Record<OwedKind, Receiver>>;

/** So many are taken up together of what is due at one receiver; the rest a moment later. */
const CLAIMED_AT_ONCE = 500;

export class Deliver {
  readonly #outbox: Outbox;
  readonly #lanes = new Map<Lane, OwedKind[]>();
  readonly #laneOf: Readonly<Record<OwedKind, Lane>>;

  /** @param onTried what has become of a call is written down. */
  constructor(outbox: Outbox, work: Work, receivers: Receivers, onTried: () => void) {
    this.#outbox = outbox;
    const lanes = new Map<Receiver, Lane>();
    const laneOf = (kind: OwedKind): Lane => {
      const receiver = receivers[kind];
      const lane = lanes.get(receiver) ?? new Lane(receiver, outbox, work, onTried);
      lanes.set(receiver, lane);
      this.#lanes.set(lane, [...(this.#lanes.get(lane) ?? []), kind]);
      return lane;
    };
    const kinds = Object.keys(receivers) as OwedKind[];
    this.#laneOf = Object.fromEntries(kinds.map((kind) => [kind, laneOf(kind)])) as Record<OwedKind, Lane>;
    outbox.onOwed((owed, quietMs) => this.#add(owed, quietMs));
  }

  /** Takes up what is due: what failed, and what nobody makes any more. Returns at once. */
  drain(): void {
    const due = this.#outbox.due();
    for (const kinds of this.#lanes.values()) {
      if (kinds.some((kind) => due.has(kind))) this.#add(this.#outbox.claim(kinds, CLAIMED_AT_ONCE), null);
    }
  }

  /** Resolves when the calls of this kind that are owed now have been tried, and with them those of the same lane. Never rejects. */
  settled(kind: OwedKind): Promise<void> {
    return this.#laneOf[kind].settled();
  }

  #add(owed: readonly Owed[], quietMs: number | null): void {
    for (const one of owed) this.#laneOf[one.kind].add(one, quietMs);
  }
}
