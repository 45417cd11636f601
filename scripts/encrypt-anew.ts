/**
 * `npm run encrypt-anew`: encrypts with the present SIGNING_KEY what is stored under SIGNING_KEY_PREVIOUS. Of the local instance that
 * is on, or of the one at `--url`, with its OWNER_TOKEN in the environment. It may be done at any time, and again.
 */
import path from "node:path";
import { type EncryptAnewStep, encryptAnewStepSchema } from "#protocol/encrypt-anew.ts";
import { callApi, outcomeOf } from "./instance/api.ts";
import { type Instance, instanceOf } from "./instance/instance-of.ts";
import { type Outcome, succeeded } from "./outcome.ts";
import { complain, say } from "./terminal.ts";

/** A step asks twenty objects, each of which has eight seconds. */
const STEP_DEADLINE_MS = 30_000;

process.exit(await main(path.dirname(import.meta.dirname)));

async function main(root: string): Promise<number> {
  const instance = await instanceOf(root);
  const done = instance.ok ? await encryptAnew(instance.value) : instance;
  if (!done.ok) {
    complain(done.message);
    return 1;
  }
  const { routines, encrypted_anew, unreadable, unreadable_secrets, unreadable_logins, is_app_unreadable, failed } =
    done.value;
  say(`Routines asked: ${routines}. Secrets encrypted with the present key: ${encrypted_anew}.`);
  for (const one of unreadable) {
    complain(`A secret of ${one.trigger_id} in ${one.routine_id} can't be decrypted: give the endpoint a new one.`);
  }
  for (const name of unreadable_secrets) complain(`The secret ${name} can't be decrypted: set it anew.`);
  for (const id of unreadable_logins) complain(`The login of the connector ${id} can't be decrypted: log in again.`);
  if (is_app_unreadable) complain("The GitHub App's key can't be decrypted: set the App up anew at /setup.");
  for (const { routine_id, why } of failed) complain(`${routine_id} is left as it was: ${why}.`);
  if (failed.length > 0) complain("Repeat the command before you take SIGNING_KEY_PREVIOUS away.");
  return failed.length > 0 ? 1 : 0;
}

async function encryptAnew({ url, token }: Instance): Promise<Outcome<Omit<EncryptAnewStep, "next_cursor">>> {
  const sum: Omit<EncryptAnewStep, "next_cursor"> = {
    routines: 0,
    encrypted_anew: 0,
    unreadable: [],
    unreadable_secrets: [],
    unreadable_logins: [],
    is_app_unreadable: false,
    failed: [],
  };
  for (let cursor: string | null = ""; cursor !== null; ) {
    const order = { method: "POST", path: "/api/v1/instance/secrets/encrypt-anew", token } as const;
    const body: { cursor?: string } = cursor === "" ? {} : { cursor };
    const facts = { ...order, body, answer: encryptAnewStepSchema, deadlineMs: STEP_DEADLINE_MS };
    const step: Outcome<EncryptAnewStep> = outcomeOf("A step", await callApi(url, facts, new AbortController().signal));
    if (!step.ok) return step;
    sum.routines += step.value.routines;
    sum.encrypted_anew += step.value.encrypted_anew;
    sum.unreadable.push(...step.value.unreadable);
    sum.unreadable_secrets.push(...step.value.unreadable_secrets);
    sum.unreadable_logins.push(...step.value.unreadable_logins);
    sum.is_app_unreadable ||= step.value.is_app_unreadable;
    sum.failed.push(...step.value.failed);
    cursor = step.value.next_cursor;
  }
  return succeeded(sum);
}
