/** Making the instance's GitHub App, replacing it, and changing its keys. */
import { z } from "zod";
import { hashSecret, makeSecret } from "#instance/secrets.ts";
import { type Result, refuse, success } from "#protocol/errors.ts";
import type { BegunSetup } from "#protocol/github-app.ts";
import { timestamp } from "#protocol/time.ts";
import type { Deps } from "../deps.ts";
import { answerOf, appAuth, asApp, asked } from "./github-api.ts";
import type { KeptApp } from "./kept-app.ts";
import { appManifest } from "./manifest.ts";
import { toPkcs8 } from "./private-key.ts";

/** The code that GitHub sends back is good for an hour, too. */
const SETUP_LIFETIME_MS = 3_600_000;
/** For so long the webhook's secret before is accepted too: GitHub and the instance can't change it at one moment. */
const OVERLAP_MS = 24 * 3_600_000;

/** What the instance keeps of GitHub's answer. The client's secret is not kept: nothing uses it. */
const conversionSchema = z.object({
  id: z.int(),
  slug: z.string(),
  name: z.string(),
  client_id: z.string(),
  html_url: z.string(),
  owner: z.object({ login: z.string().optional(), slug: z.string().optional() }),
  pem: z.string(),
  webhook_secret: z.string().nullable(),
});
const ownAppSchema = z.object({ id: z.int() });

type Parts = Pick<Deps, "config" | "sealedDocuments" | "appKeeper" | "github">;

/** @param organization the one that is to own the App; undefined for whoever makes it. */
export async function beginSetup(
  { config, sealedDocuments }: Parts,
  baseUrl: string,
  organization: string | undefined,
  nowMs: number,
): Promise<BegunSetup> {
  const state = makeSecret("app_setup");
  const expiresAtMs = nowMs + SETUP_LIFETIME_MS;
  await sealedDocuments.beginSetup(await hashSecret(state), expiresAtMs, nowMs);
  const { webOrigin } = config.github;
  const of = organization === undefined ? "" : `/organizations/${encodeURIComponent(organization)}`;
  const action = `${webOrigin}${of}/settings/apps/new?state=${state}`;
  return { action, manifest: JSON.stringify(appManifest(baseUrl)), expires_at: timestamp(expiresAtMs) };
}

/** Takes the App that GitHub has made, in the place of the one before. @returns the one before, or null. */
export async function endSetup(
  { sealedDocuments, appKeeper, github }: Parts,
  { code, state }: { code: string; state: string },
  nowMs: number,
): Promise<Result<KeptApp | null>> {
  // Used up first: a code that came with a state is exchanged once at most.
  if (!(await sealedDocuments.endSetup(await hashSecret(state), nowMs)))
    return refuse("setup_refused", { field: "state" });
  // Before the code is used up: an App that was made must not be lost because D1 is away.
  const before = await appKeeper.read(nowMs);
  const made = await asked(async () => {
    const { data } = await github("POST /app-manifests/{code}/conversions", { code });
    return conversionSchema.parse(data);
  });
  if (!made.ok) {
    const { status, refusal } = made.failure;
    const isCodeUnknown = status === 404 || status === 422;
    return isCodeUnknown ? refuse("setup_refused", { field: "code" }) : { ok: false, refusal };
  }
  const { pem, webhook_secret, owner, ...facts } = made.value;
  const privateKey = toPkcs8(pem);
  if (privateKey === null) return refuse("github_app_key_refused", { reason: "GitHub sent no private key" });
  const app: KeptApp = {
    ...facts,
    owner: owner.login ?? owner.slug ?? "",
    private_key: privateKey,
    webhook_secrets: webhook_secret === null ? [] : [{ secret: webhook_secret, until_ms: null }],
    made_at_ms: nowMs,
  };
  await appKeeper.keep(app, nowMs);
  return success(before.ok ? before.value : null);
}

/** Puts another private key, or webhook secret, in the place of the App's. A key that GitHub does not accept changes nothing. */
export async function changeKeys(
  { appKeeper, github }: Parts,
  given: { private_key?: string | undefined; webhook_secret?: string | undefined },
  nowMs: number,
): Promise<Result<null>> {
  const found = await appKeeper.find();
  if (!found.ok) return found;
  if (found.value === null) return refuse("github_app_missing");
  let { app } = found.value;
  if (given.private_key !== undefined) {
    const privateKey = toPkcs8(given.private_key);
    if (privateKey === null) return refuse("invalid_request", { field: "private_key", message: NO_KEY });
    const auth = appAuth(github, { id: app.id, private_key: privateKey });
    const own = await answerOf(async () => {
      const { data } = await github("GET /app", { headers: await asApp(auth) });
      return ownAppSchema.parse(data);
    });
    if (!own.ok) return own;
    if (own.value.id !== app.id) return refuse("github_app_key_refused", { reason: "it is another App's key" });
    app = { ...app, private_key: privateKey };
  }
  if (given.webhook_secret !== undefined) {
    const untilMs = nowMs + OVERLAP_MS;
    const before = app.webhook_secrets
      .filter(({ until_ms }) => until_ms === null || until_ms > nowMs)
      .map(({ secret, until_ms }) => ({ secret, until_ms: until_ms ?? untilMs }));
    app = { ...app, webhook_secrets: [{ secret: given.webhook_secret, until_ms: null }, ...before] };
  }
  const isKept = await appKeeper.replace(found.value.sealed, app, nowMs);
  return isKept ? success(null) : refuse("revision_conflict", CHANGED_MEANWHILE);
}

const CHANGED_MEANWHILE = {
  message: "The GitHub App was changed by somebody else meanwhile.",
  hint: "Look at /setup, and repeat the change if it is still what you want.",
};
const NO_KEY = "private_key: must be the private key in PEM, as GitHub's file has it: -----BEGIN RSA PRIVATE KEY-----";
