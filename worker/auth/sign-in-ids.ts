/** Ids of sign-ins: they sort by time. */
import { drawOwnerKey, IdMaker, type RandomBytes } from "#protocol/ids.ts";

const random: RandomBytes = (bytes) => crypto.getRandomValues(bytes);

/** A sign-in belongs to the instance: in place of an owner's key its id has one of its own. */
export function makeSignInId(nowMs: number): string {
  return new IdMaker(drawOwnerKey(random), random).make("sign_in", nowMs);
}
