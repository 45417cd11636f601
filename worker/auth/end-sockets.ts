/** Has the routines' objects close what sign-ins that have ended opened there: owed in D1 until each object has done it. */
import { withinDeadline } from "#instance/in-time.ts";
import { logTrouble } from "#protocol/log.ts";
import type { OwedRevocation, SignIns } from "../store/sign-ins.ts";

/** How many objects are told at a time. */
const AT_ONCE = 20;
/** How many times in a row: what is left then is for the next sweep. */
const ROUNDS = 50;
/** An object that has not answered by then is told again later, and holds up no other. */
const DEADLINE_MS = 5_000;

interface Parts {
  signIns: Pick<SignIns, "claimOwed" | "settleOwed">;
  ownerOf(id: string): { revokeAccess(session: string): Promise<void> };
}

/** Tells every object for which such a call is owed and due. Never rejects; a call that fails stays owed. */
export async function endSockets(deps: Parts, nowMs: number): Promise<void> {
  try {
    for (let round = 0; round < ROUNDS; round += 1) {
      const owed = await deps.signIns.claimOwed(AT_ONCE, nowMs);
      if (owed.length === 0) return;
      const told = await Promise.all(owed.map((one) => isTold(deps, one)));
      await deps.signIns.settleOwed(owed.filter((_one, place) => told[place]));
    }
  } catch (error) {
    logTrouble("sign_outs_not_told", {}, error);
  }
}

async function isTold({ ownerOf }: Parts, { hash, id }: OwedRevocation): Promise<boolean> {
  try {
    await withinDeadline(ownerOf(id).revokeAccess(hash), DEADLINE_MS, "the routine");
    return true;
  } catch (error) {
    logTrouble("sign_out_not_told", { id }, error);
    return false;
  }
}
