/** One step of encrypting with the present key what was encrypted with the one before: the GitHub App, and the secrets of some routines. */
import type { EncryptedAnew } from "#instance/object-contracts.ts";
import type { EncryptAnewStep } from "#protocol/encrypt-anew.ts";
import type { Result } from "#protocol/errors.ts";
import type { AppKeeper } from "../github/kept-app.ts";
import type { RosterStub } from "../parties/parties.ts";
import { askRoutines } from "./ask-routines.ts";

/** So many objects are asked in a step, side by side. */
const ROUTINES_AT_ONCE = 20;
const NONE = { encrypted_anew: 0, isUnreadable: false };

interface Parts {
  appKeeper: Pick<AppKeeper, "encryptAnew">;
  roster(): Pick<RosterStub, "page">;
  ownerOf(id: string): { encryptAnew(): Promise<Result<EncryptedAnew>> };
}

/** @param cursor where the step before has ended; null for the first. Repeated, a step changes nothing. */
export async function encryptAnewStep(
  { appKeeper, roster, ownerOf }: Parts,
  cursor: string | null,
  nowMs: number,
): Promise<EncryptAnewStep> {
  // The first step is the GitHub App's, too.
  const app = cursor === null ? await appKeeper.encryptAnew(nowMs) : NONE;
  const { ids, next } = await roster().page(cursor ?? "", ROUTINES_AT_ONCE);
  const asked = await askRoutines(ids, "secrets_not_encrypted_anew", (id) => ownerOf(id).encryptAnew());
  const done = asked.answers.flatMap(({ id, answer }) => (answer.ok ? [{ id, ...answer.value }] : []));
  const gone = new Set(
    asked.answers.flatMap(({ id, answer }) => (!answer.ok && answer.refusal.code === "not_found" ? [id] : [])),
  );
  return {
    routines: done.length,
    encrypted_anew: done.reduce((sum, { encrypted_anew }) => sum + encrypted_anew, app.encrypted_anew),
    is_app_unreadable: app.isUnreadable,
    unreadable: done.flatMap(({ id, unreadable }) => unreadable.map((trigger_id) => ({ routine_id: id, trigger_id }))),
    // What has been deleted has no secrets.
    failed: asked.failed.filter(({ routine_id }) => !gone.has(routine_id)),
    next_cursor: next,
  };
}
