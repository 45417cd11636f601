/** Wrangler, as a program that is asked for one thing at a time. */
import { readFile, rm } from "node:fs/promises";
import path from "node:path";
import { z } from "zod";
import { type CommandOutcome, runCommand } from "#scripts/child-process.ts";
import { toolEnvironment } from "#scripts/instance/tool-environment.ts";
import { failed, type Outcome, succeeded } from "#scripts/outcome.ts";
import type { Credentials } from "./cloudflare-api.ts";

/** An image is built, pushed and prepared within. */
const DEPLOY_DEADLINE_MS = 60 * 60_000;
const COMMAND_DEADLINE_MS = 5 * 60_000;

/** What wrangler and the container engine are steered by. */
const PASSED_ON = /^(CLOUDFLARE_|WRANGLER_DOCKER_BIN$|DOCKER_|CONTAINERS_CONF$|XDG_|(https?|no|all)_proxy$)/i;

export function wranglerEnvironment(environment: NodeJS.ProcessEnv): Record<string, string> {
  const passedOn = Object.entries(environment).flatMap(([name, value]) =>
    value !== undefined && PASSED_ON.test(name) ? [[name, value]] : [],
  );
  return { ...toolEnvironment(), ...Object.fromEntries(passedOn) };
}

export interface Wrangler {
  /** The project's folder. */
  root: string;
  /** A folder of the deploy's own. */
  folder: string;
  environment: NodeJS.ProcessEnv;
}

/** What can stand in a header: another text would be told whole in the error of whoever sends it. */
const SENDABLE = /^[\x21-\x7e]+$/;

const credentialsSchema = z.union([
  z.object({ type: z.enum(["oauth", "api_token"]), token: z.string() }),
  z.object({ type: z.literal("api_key"), key: z.string(), email: z.string() }),
]);

/** What `wrangler login` or the environment gives; null where nobody is signed in. */
export async function readCredentials(wrangler: Wrangler): Promise<Outcome<Credentials | null>> {
  const asked = await run(wrangler, ["auth", "token", "--json"]);
  if (!asked.ok) return /not logged in/i.test(asked.message) ? succeeded(null) : failed(plainly(asked.message));
  return credentialsOf(asked.stdout);
}

/** @param answer of `wrangler auth token --json`. Nothing of it is in what is told. */
export function credentialsOf(answer: string): Outcome<Credentials> {
  const parsed = credentialsSchema.safeParse(parseJson(answer));
  if (!parsed.success) return failed("wrangler auth token --json answers in a form that is not known here.");
  const { data } = parsed;
  const words = data.type === "api_key" ? [data.key, data.email] : [data.token];
  if (!words.every((word) => SENDABLE.test(word))) {
    return failed(
      "The token or key of Cloudflare has spaces, line breaks or other signs that none has: copy it again.",
    );
  }
  if (data.type === "api_key") return succeeded({ type: "key", key: data.key, email: data.email });
  return succeeded({ type: "token", token: data.token });
}

export async function applyMigrations(
  wrangler: Wrangler,
  account: string,
  config: string,
  binding: string,
): Promise<Outcome<null>> {
  const args = ["d1", "migrations", "apply", binding, "--remote", "--config", config];
  const applied = await run(wrangler, args, { CLOUDFLARE_ACCOUNT_ID: account });
  return applied.ok ? succeeded(null) : failed(plainly(applied.message));
}

export interface Upload {
  account: string;
  /** The generated configuration. */
  config: string;
  /** A JSON file; none where no secret is given. */
  secretsFile: string | null;
  /** Leaves the containers that are deployed as they are. */
  keepsContainers: boolean;
  /** Told by `wrangler deployments list`. */
  message: string;
}

const deployedSchema = z.object({
  type: z.literal("deploy"),
  version_id: z.string(),
  targets: z.array(z.string()).optional(),
});
export interface Deployed {
  versionId: string;
  /** Addresses and schedules, as wrangler names them. */
  targets: string[];
}

/** One version with code, variables and secrets takes the place of the one that serves. */
export async function upload(wrangler: Wrangler, upload: Upload): Promise<Outcome<Deployed>> {
  const { account, config, secretsFile, keepsContainers, message } = upload;
  const output = path.join(wrangler.folder, "deployed.ndjson");
  await rm(output, { force: true });
  const args = ["deploy", "--config", config, "--message", message];
  if (secretsFile !== null) args.push("--secrets-file", secretsFile);
  if (keepsContainers) args.push("--containers-rollout", "none");
  const more = { CLOUDFLARE_ACCOUNT_ID: account, WRANGLER_OUTPUT_FILE_PATH: output };
  const deployed = await run(wrangler, args, more, DEPLOY_DEADLINE_MS);
  if (!deployed.ok) return failed(plainly(deployed.message));
  const lines = (await readFile(output, "utf8").catch(() => "")).split("\n");
  for (const line of lines.filter((text) => text !== "")) {
    const parsed = deployedSchema.safeParse(parseJson(line));
    if (parsed.success) return succeeded({ versionId: parsed.data.version_id, targets: parsed.data.targets ?? [] });
  }
  return failed(
    `wrangler has deployed, and does not say which version: look at npx wrangler deployments list --config ${config}.`,
  );
}

function run(
  { root, folder, environment }: Wrangler,
  args: string[],
  more: Record<string, string> = {},
  deadlineMs = COMMAND_DEADLINE_MS,
): Promise<CommandOutcome> {
  const program = path.join(root, "node_modules", "wrangler", "bin", "wrangler.js");
  const env = {
    ...wranglerEnvironment(environment),
    WRANGLER_LOG_PATH: path.join(folder, "logs"),
    WRANGLER_SEND_ERROR_REPORTS: "false",
    ...more,
  };
  // The configuration has no environments: one that is named by CLOUDFLARE_ENV, or in a file, would become a part of the worker's name.
  return runCommand(process.execPath, [program, ...args, "--env="], { cwd: root, env, deadlineMs });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** What wrangler says, without what it says around it. */
function plainly(message: string): string {
  const words = message
    .replace(/^\S+ failed \([^)]*\): /, "")
    .split("\n")
    .map((line) => line.replace(/✘ \[ERROR\] /, "").trim())
    .filter((line) => line !== "" && !/^(🪵|If you think this is a bug)/u.test(line));
  const hint = /authentication error/i.test(message)
    ? ["docs/deploy.md lists the permissions that a token needs."]
    : [];
  return [`wrangler says: ${words.join("\n  ")}`, ...hint].join("\n");
}
