/** `npm run deploy`: brings an instance into a Cloudflare account, and each later version of it. */
import path from "node:path";
import { experimental_readRawConfig as readRawConfig } from "wrangler";
import { readConfig, SECRET_VARIABLES } from "#instance/config.ts";
import packageJson from "../package.json" with { type: "json" };
import { runCommand } from "./child-process.ts";
import { engineFault } from "./deploy/engine.ts";
import { look, SIGN_IN_HINT, type SignedIn, signIn } from "./deploy/look.ts";
import { type DeployOptions, readOptions, USAGE } from "./deploy/options.ts";
import { type Plan, planDeploy } from "./deploy/plan.ts";
import type { Found } from "./deploy/resources.ts";
import { fileIn, readMadeSecrets } from "./deploy/secrets.ts";
import { type DeployParts, type Progress, RUN } from "./deploy/steps.ts";
import { doneText, planText } from "./deploy/told.ts";
import { type WranglerConfig, wantedOf, wranglerSchema } from "./deploy/wanted.ts";
import type { Wrangler } from "./deploy/wrangler.ts";
import { lockStateFolder } from "./instance/lock.ts";
import { DRAWN_SECRETS } from "./instance/secrets.ts";
import { prepareStateFolder } from "./instance/state-folder.ts";
import { toolEnvironment } from "./instance/tool-environment.ts";
import { failed, messageOf, type Outcome, succeeded } from "./outcome.ts";
import { complain, say } from "./terminal.ts";

// Ends what it has started with it: wrangler, which is in the middle of something, and the engine.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => process.exit(130));
process.exit(await main(path.dirname(import.meta.dirname)));

async function main(root: string): Promise<number> {
  const options = readOptions(process.argv.slice(2), process.env, root);
  if (!options.ok) return fail(options.message, 2);
  if (options.value === null) {
    say(USAGE);
    return 0;
  }
  const prepared = await prepare(root, options.value);
  if (!prepared.ok) return fail(prepared.message);
  const { plan, parts } = prepared.value;
  if (plan.faults.length > 0 || parts === null || options.value.isDryRun) say(planText(plan.steps));
  if (plan.faults.length > 0) return fail(`\nNothing has been changed. First:\n\n${plan.faults.join("\n")}`);
  if (options.value.isDryRun) {
    say(
      `\n${parts === null ? `${SIGN_IN_HINT} So this is the plan for an empty account.\n` : ""}Dry run: nothing has been changed.`,
    );
    return 0;
  }
  if (parts === null) return fail(`\nNothing has been changed. ${SIGN_IN_HINT}`);
  return await deploy(parts, options.value.variablesFile);
}

interface Prepared {
  plan: Plan;
  /** Null where nobody is signed in. */
  parts: Omit<DeployParts, "message"> | null;
}

/** Looks, and plans. Changes nothing but the deploy's own folder, where it finds what earlier deploys have made. */
async function prepare(root: string, options: DeployOptions): Promise<Outcome<Prepared>> {
  const { rawConfig } = readRawConfig({ config: path.join(root, "wrangler.toml") });
  const config: WranglerConfig = wranglerSchema.parse(rawConfig);
  const wanted = wantedOf(config, options.name);
  const folder = path.join(root, ".reveille", "deploy", wanted.name);
  const prepared = await prepareStateFolder(folder);
  if (!prepared.ok) return prepared;
  // Two at once would each make secrets of their own, and one of them keep those that are not deployed.
  if (!options.isDryRun) {
    const lock = await lockStateFolder(folder, "A deploy is running");
    if (!lock.ok) return lock;
    process.once("exit", lock.value);
  }
  const wrangler: Wrangler = { root, folder, environment: process.env };
  const [made, signedIn] = await Promise.all([readMadeSecrets(folder), signIn(wrangler)]);
  if (!made.ok) return made;
  if (!signedIn.ok) return signedIn;
  const { given, domain, location, wantsContainers } = options;
  const found: Outcome<Found | null> =
    signedIn.value === null ? succeeded(null) : await look(signedIn.value, wanted, given, domain);
  if (!found.ok) return found;
  const plan = planDeploy({
    wanted,
    found: found.value,
    given,
    made: made.value,
    // What a build machine makes is gone with it, and Cloudflare shows no secret again.
    makeable: process.env["CI"] ? [] : DRAWN_SECRETS,
    secretNames: SECRET_VARIABLES,
    wantsContainers,
    engineFault: wantsContainers && wanted.hasImage ? await engineFault(process.env) : null,
    domain,
    location,
  });
  const faults = valueFaults(config, { ...made.value, ...given, ...plan.variables });
  plan.faults.push(...faults);
  const signed: SignedIn | null = signedIn.value;
  if (signed === null || found.value === null) return succeeded({ plan, parts: null });
  const place = { domain, location };
  const parts = {
    wrangler,
    signedIn: signed,
    config,
    wanted,
    found: found.value,
    plan,
    given,
    made: made.value,
    ...place,
  };
  return succeeded({ plan, parts });
}

/** What the worker would refuse of the values that it is given; a required secret that is not known here counts as one that holds. */
function valueFaults({ secrets }: WranglerConfig, values: Record<string, string>): string[] {
  const unknown = Object.fromEntries(secrets.required.map((name) => [name, "-".repeat(64)]));
  const check = readConfig({ ...unknown, ...values });
  return check.ok ? [] : check.issues.map(({ field, message }) => `${field} ${message}.`);
}

async function deploy(parts: NonNullable<Prepared["parts"]>, variablesFile: string): Promise<number> {
  const { plan, wrangler, wanted, found, given, made } = parts;
  const progress: Progress = {
    databaseId: null,
    known: { ...made, ...given },
    runnerTokenFile: null,
    deployed: null,
    isReplaced: false,
    signInLink: null,
  };
  say(`\nInto the account ${parts.signedIn.account.name}:\n`);
  const message = await versionMessage(wrangler.root);
  for (const [index, { name, will }] of plan.steps.entries()) {
    say(`${String(index + 1).padStart(3)}. ${will} …`);
    const outcome = await RUN[name]({ ...parts, message }, progress).catch((error: unknown) =>
      failed(messageOf(error)),
    );
    if (!outcome.ok) return failStep(outcome.message, progress, found, wanted.name);
  }
  const shown = (file: string | null) => (file === null ? null : path.relative(process.cwd(), file));
  say(
    doneText({
      url: plan.url ?? "",
      plan,
      found,
      given: Object.keys(given),
      signInLink: progress.signInLink,
      secretsFile: shown(fileIn(wrangler.folder)) ?? "",
      runnerTokenFile: shown(progress.runnerTokenFile),
      variablesFile,
    }),
  );
  return 0;
}

function failStep(message: string, { known, isReplaced }: Progress, found: Found, name: string): number {
  const state = isReplaced
    ? `The new version serves. \`npx wrangler rollback --name ${name}\` brings the one before back (docs/deploy.md).`
    : found.worker === null
      ? "Nothing is served yet."
      : "What was deployed goes on serving.";
  return fail(
    `\n${withoutSecrets(message, known)}\n\n${state} When it is mended, run the same command again: it goes on from here.`,
  );
}

/** Whatever another program has said: no secret is in it. */
function withoutSecrets(text: string, known: Record<string, string>): string {
  const secrets = SECRET_VARIABLES.flatMap((name) => (known[name] === undefined ? [] : [known[name]]));
  return secrets.reduce((shown, secret) => shown.replaceAll(secret, "…"), text);
}

/** What a version is called: its own version, and the commit where there is one. */
async function versionMessage(root: string): Promise<string> {
  const commit = await runCommand("git", ["rev-parse", "--short", "HEAD"], {
    cwd: root,
    env: toolEnvironment(),
    deadlineMs: 10_000,
  });
  return `Reveille ${packageJson.version}${commit.ok ? ` (${commit.stdout.trim()})` : ""}`;
}

function fail(message: string, code = 1): number {
  complain(message);
  return code;
}
