/** The steps of a deploy as they are done. Each can be repeated: what is there is not made again. */
import path from "node:path";
import { buildWeb } from "#scripts/instance/build-web.ts";
import { writeStateFile } from "#scripts/instance/state-folder.ts";
import { failed, type Outcome, succeeded } from "#scripts/outcome.ts";
import { generatedConfig } from "./generated-config.ts";
import { type SignedIn, told } from "./look.ts";
import type { Plan, StepName } from "./plan.ts";
import { awaitReady, makeSignInLink } from "./ready.ts";
import { attachDomain, type Found, findVersion, makeBucket, makeDatabase, makeQueue } from "./resources.ts";
import { keepDeployed, makeSecrets, withSecretsFile, writeRunnerToken } from "./secrets.ts";
import type { Wanted, WranglerConfig } from "./wanted.ts";
import { applyMigrations, type Deployed, upload, type Wrangler } from "./wrangler.ts";

export interface DeployParts {
  wrangler: Wrangler;
  signedIn: SignedIn;
  config: WranglerConfig;
  wanted: Wanted;
  found: Found;
  plan: Plan;
  /** What the person gives, by name. */
  given: Record<string, string>;
  /** Secrets that earlier deploys of this machine have made. */
  made: Record<string, string>;
  domain: string | null;
  location: string | null;
  /** What the version is called in the account. */
  message: string;
}

/** What the steps leave for those that follow. */
export interface Progress {
  databaseId: string | null;
  /** Secrets that this machine knows, by name. */
  known: Record<string, string>;
  /** Where the token of runners is; null where this machine does not know it. */
  runnerTokenFile: string | null;
  deployed: Deployed | null;
  /** Whether another version has taken the place of the one that served, complete or not. */
  isReplaced: boolean;
  signInLink: string | null;
}

type Step = (parts: DeployParts, progress: Progress) => Promise<Outcome<null>>;
const DONE: Outcome<null> = succeeded(null);

export const RUN: Record<StepName, Step> = {
  web: ({ wrangler: { root } }) => buildWeb(root, path.join(root, "dist", "web"), new AbortController().signal),
  database: async ({ signedIn, wanted, found, plan, location }, progress) => {
    const { api, account } = signedIn;
    progress.databaseId = found.database?.id ?? null;
    if (progress.databaseId !== null) return DONE;
    const place = { jurisdiction: plan.jurisdiction, location };
    const made = await told(() => makeDatabase(api, account.id, wanted.database, place));
    if (made.ok) progress.databaseId = made.value;
    return made.ok ? DONE : made;
  },
  bucket: async ({ signedIn: { api, account }, wanted, found, plan, location }) => {
    if (found.hasBucket) return DONE;
    const place = { jurisdiction: plan.jurisdiction, location };
    const made = await told(() => makeBucket(api, account.id, wanted.bucket, place));
    return made.ok ? DONE : made;
  },
  queues: async ({ signedIn: { api, account }, wanted, found, plan }) => {
    for (const queue of wanted.queues.filter((name) => !found.queues.includes(name))) {
      const made = await told(() => makeQueue(api, account.id, queue, plan.jurisdiction));
      if (!made.ok) return made;
    }
    return DONE;
  },
  secrets: async ({ wrangler, plan, made, given }, progress) => {
    progress.known = { ...(await makeSecrets(wrangler.folder, made, plan.secretsToMake)), ...given };
    progress.runnerTokenFile = await writeRunnerToken(wrangler.folder, progress.known["RUNNER_TOKEN"]);
    return DONE;
  },
  configuration: async ({ wrangler, config, wanted, found, plan }, progress) => {
    if (progress.databaseId === null) return failed("The database has no id.");
    const generated = generatedConfig(config, {
      root: wrangler.root,
      name: wanted.name,
      databaseId: progress.databaseId,
      jurisdiction: plan.jurisdiction,
      hasSubdomain: found.subdomain !== null,
      variables: plan.variables,
      hasContainers: plan.containers.kind !== "none",
    });
    await writeStateFile(configFile(wrangler), generated);
    return DONE;
  },
  migrations: ({ wrangler, signedIn, config }) =>
    applyMigrations(wrangler, signedIn.account.id, configFile(wrangler), config.d1_databases[0].binding),
  upload: async ({ wrangler, signedIn, wanted, found, plan, made, message }, progress) => {
    const secrets = pick(progress.known, plan.secretsToGive);
    const uploaded = await withSecretsFile(wrangler.folder, secrets, (secretsFile) =>
      upload(wrangler, {
        account: signedIn.account.id,
        config: configFile(wrangler),
        secretsFile,
        keepsContainers: plan.containers.kind === "keep",
        message,
      }),
    );
    progress.isReplaced = uploaded.ok || (await hasAnotherVersion(signedIn, wanted, found));
    if (!uploaded.ok) return uploaded;
    await keepDeployed(wrangler.folder, made, progress.known);
    progress.deployed = uploaded.value;
    return DONE;
  },
  domain: async ({ signedIn: { api, account }, wanted, domain }) => {
    if (domain === null) return DONE;
    const attached = await told(() => attachDomain(api, account.id, domain, wanted.name));
    return attached.ok ? DONE : attached;
  },
  ready: async ({ plan }, progress) => {
    if (plan.url === null || progress.deployed === null) return failed("The instance has no address.");
    return await awaitReady({ url: plan.url, versionId: progress.deployed.versionId });
  },
  "sign-in": async ({ plan }, progress) => {
    const owner = progress.known["OWNER_TOKEN"];
    // Made on another machine: there it is kept.
    if (plan.url === null || owner === undefined) return DONE;
    const link = await makeSignInLink(plan.url, owner);
    if (link.ok) progress.signInLink = link.value;
    return link.ok ? DONE : link;
  },
};

/** After the upload of a version come its containers, its address, its clock and its queues: what failed may be one of those. */
async function hasAnotherVersion({ api, account }: SignedIn, wanted: Wanted, found: Found): Promise<boolean> {
  const serving = await told(() => findVersion(api, account.id, wanted.name));
  return serving.ok && serving.value !== (found.worker?.versionId ?? null);
}

export function configFile({ folder }: Wrangler): string {
  return path.join(folder, "wrangler.json");
}

function pick(all: Record<string, string>, names: readonly string[]): Record<string, string> {
  return Object.fromEntries(names.flatMap((name) => (all[name] === undefined ? [] : [[name, all[name]]])));
}
