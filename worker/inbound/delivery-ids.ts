/** Ids of deliveries: they sort by time, and no two isolates make the same. */
import { drawOwnerKey, IdMaker, type RandomBytes } from "#protocol/ids.ts";

const random: RandomBytes = (bytes) => crypto.getRandomValues(bytes);
/** Not smaller than any key that can be drawn. */
const LAST_KEY = "ZZZZZZZZZZZZ";
let maker: IdMaker | null = null;

/** A delivery belongs to the instance: in place of an owner's key its id has one of the isolate. */
export function makeDeliveryId(nowMs: number): string {
  maker ??= new IdMaker(drawOwnerKey(random), random);
  return maker.make("delivery", nowMs);
}

/** Not smaller than the id of any delivery that came up to a moment, and smaller than those that came later. */
export function lastDeliveryIdOf(momentMs: number): string {
  return new IdMaker(LAST_KEY, (bytes) => bytes.fill(0xff)).make("delivery", momentMs);
}
