/** One step of encrypting with the present key what was encrypted with the one before: the GitHub App, secrets that variables name, logins of connectors, and secrets of some routines' endpoints. */

import { placeOfLogin } from "#instance/connectors/oauth/kept-login.ts";
import type { LoginParts } from "#instance/connectors/oauth/login-parts.ts";
import type { KeyRing } from "#instance/key-ring.ts";
import type { EncryptedAnew } from "#instance/object-contracts.ts";
import { placeOfSecret } from "#instance/secrets/kept-secrets.ts";
import type { EncryptAnewStep } from "#protocol/encrypt-anew.ts";
import type { Result } from "#protocol/errors.ts";
import type { AppKeeper } from "../github/kept-app.ts";
import type { RosterStub } from "../parties/parties.ts";
import type { SealedValue, SecretStore } from "../store/secrets.ts";
import { askRoutines } from "./ask-routines.ts";

/** So many objects are asked in a step, side by side. */
const ROUTINES_AT_ONCE = 20;
/** So many secrets are read at once. */
const SECRETS_AT_ONCE = 100;
const NO_SECRETS: { encrypted_anew: number; unreadable: string[] } = { encrypted_anew: 0, unreadable: [] };
const NO_LOGINS: { encrypted_anew: number; unreadable: string[] } = { encrypted_anew: 0, unreadable: [] };
const NONE = { encrypted_anew: 0, isUnreadable: false };

interface Parts {
  secrets: Pick<SecretStore, "sealedAfter" | "replaceSealed">;
  keyRing: Pick<KeyRing, "open" | "seal">;
  loginParts: { logins: Pick<LoginParts["logins"], "sealedAfter" | "replaceSealed"> };
  appKeeper: Pick<AppKeeper, "encryptAnew">;
  roster(): Pick<RosterStub, "page">;
  ownerOf(id: string): { encryptAnew(): Promise<Result<EncryptedAnew>> };
}

/** @param cursor where the step before has ended; null for the first. Repeated, a step changes nothing. */
export async function encryptAnewStep(parts: Parts, cursor: string | null, nowMs: number): Promise<EncryptAnewStep> {
  const { appKeeper, roster, ownerOf } = parts;
  // The first step is the GitHub App's and that of secrets and logins, too.
  const app = cursor === null ? await appKeeper.encryptAnew(nowMs) : NONE;
  const secrets = cursor === null ? await encryptSecretsAnew(parts) : NO_SECRETS;
  const logins = cursor === null ? await encryptLoginsAnew(parts) : NO_LOGINS;
  const { ids, next } = await roster().page(cursor ?? "", ROUTINES_AT_ONCE);
  const asked = await askRoutines(ids, "secrets_not_encrypted_anew", (id) => ownerOf(id).encryptAnew());
  const done = asked.answers.flatMap(({ id, answer }) => (answer.ok ? [{ id, ...answer.value }] : []));
  const gone = new Set(
    asked.answers.flatMap(({ id, answer }) => (!answer.ok && answer.refusal.code === "not_found" ? [id] : [])),
  );
  return {
    routines: done.length,
    encrypted_anew: done.reduce(
      (sum, { encrypted_anew }) => sum + encrypted_anew,
      app.encrypted_anew + secrets.encrypted_anew + logins.encrypted_anew,
    ),
    is_app_unreadable: app.isUnreadable,
    unreadable_secrets: secrets.unreadable,
    unreadable_logins: logins.unreadable,
    unreadable: done.flatMap(({ id, unreadable }) => unreadable.map((trigger_id) => ({ routine_id: id, trigger_id }))),
    // What has been deleted has no secrets.
    failed: asked.failed.filter(({ routine_id }) => !gone.has(routine_id)),
    next_cursor: next,
  };
}

async function encryptSecretsAnew(parts: Pick<Parts, "secrets" | "keyRing">) {
  const sum = { encrypted_anew: 0, unreadable: [] as string[] };
  for (let page = await parts.secrets.sealedAfter(0, SECRETS_AT_ONCE); page.length > 0; ) {
    const states = await Promise.all(page.map(async (one) => ({ name: one.name, state: await sealAnew(parts, one) })));
    sum.encrypted_anew += states.filter(({ state }) => state === "anew").length;
    sum.unreadable.push(...states.filter(({ state }) => state === "unreadable").map(({ name }) => name));
    page = await parts.secrets.sealedAfter(page.at(-1)?.number ?? 0, SECRETS_AT_ONCE);
  }
  return sum;
}

/** One that somebody has set meanwhile is left as they set it: a worker that does not know the present key yet may have. Repeated, it is read again. */
async function sealAnew({ secrets, keyRing }: Pick<Parts, "secrets" | "keyRing">, before: SealedValue) {
  const place = placeOfSecret(before.name);
  const opened = await keyRing.open(place, before.sealed);
  if (!opened.ok) return "unreadable";
  if (!opened.isStale) return "as_it_is";
  return (await secrets.replaceSealed(before, await keyRing.seal(place, opened.text))) ? "anew" : "as_it_is";
}

/** A login that is renewed meanwhile is encrypted with the present key by that. */
async function encryptLoginsAnew({ loginParts: { logins }, keyRing }: Pick<Parts, "loginParts" | "keyRing">) {
  const sum = { encrypted_anew: 0, unreadable: [] as string[] };
  for (let page = await logins.sealedAfter("", SECRETS_AT_ONCE); page.length > 0; ) {
    for (const row of page) {
      const place = placeOfLogin(row.connector_id);
      const opened = await keyRing.open(place, row.sealed);
      if (!opened.ok) sum.unreadable.push(row.connector_id);
      else if (opened.isStale && (await logins.replaceSealed(row, await keyRing.seal(place, opened.text))))
        sum.encrypted_anew += 1;
    }
    page = await logins.sealedAfter(page.at(-1)?.connector_id ?? "", SECRETS_AT_ONCE);
  }
  return sum;
}
