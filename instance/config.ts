/**
 * The variables and secrets of an instance, declared here alone, read and checked once. It knows no type of the platform: a
 * deploy checks what it is about to give, before it gives it.
 */
import { z } from "zod";
import { COMMIT_IDENTITY } from "#protocol/commit.ts";
import { containerSizes } from "#protocol/container-size.ts";
import { webAddress } from "#protocol/web-address.ts";
import { readCommitKey } from "./commit-key.ts";
import { inForce } from "./in-force.ts";
import { between, KEEP_NAMES, type KeepVariables, keepIn, keepVariables } from "./keep-variables.ts";
import { checkStores, type StoreVariables, storesIn, storeVariables } from "./secrets/store-variables.ts";

/** Variables and secrets as the platform hands them over. `readConfig` turns the texts into a `Config`. */
export interface Variables extends StoreVariables, KeepVariables {
  OWNER_TOKEN?: string;
  OWNER_TOKEN_PREVIOUS?: string;
  SIGNING_KEY?: string;
  SIGNING_KEY_PREVIOUS?: string;
  RUNNER_TOKEN?: string;
  RUNNER_TOKEN_PREVIOUS?: string;
  ANTHROPIC_API_KEY?: string;
  ANTHROPIC_BASE_URL?: string;
  DEMO_MODEL_URL?: string;
  GIT_CREDENTIALS?: string;
  COMMIT_SIGNING_KEY?: string;
  COMMIT_NAME?: string;
  COMMIT_EMAIL?: string;
  GITHUB_WEBHOOK_SECRET?: string;
  GITHUB_WEBHOOK_SECRET_PREVIOUS?: string;
  GITHUB_API_URL?: string;
  SLACK_SIGNING_SECRET?: string;
  EMAIL_FROM?: string;
  RESEND_API_KEY?: string;
  DEFAULT_MODEL?: string;
  ALLOWED_MODELS?: string;
  MODEL_REQUEST_FIELDS?: string;
  PUBLIC_URL?: string;
  JURISDICTION?: string;
  LOCAL_INSTANCE?: string;
  CONTAINERS?: string;
  CONTAINER_SIZE?: string;
  CONNECTORS_LOOPBACK?: string;
  FIRE_RATE_PER_MINUTE?: string;
  FIRE_BURST?: string;
  INSTANCE_RATE_PER_MINUTE?: string;
}

/** Where the platform can keep objects, as `DurableObjectNamespace.jurisdiction` takes it. */
const jurisdictions = ["eu", "us", "fedramp", "fedramp-high"] as const;

const secret = (name: string) =>
  z
    .string({
      error: `is missing: npm run deploy makes it where there is none, npm start locally; or wrangler secret put ${name}`,
    })
    .min(32, "must be at least 32 characters; openssl rand -hex 32 makes one");
/** It is sent in a header, which takes no space, no line break, and none of many other characters. */
const token = (name: string) =>
  secret(name).regex(
    /^[!-~]+$/,
    "must have no space, line break or letter of another script: openssl rand -hex 32 makes one",
  );
/** The one before, while it is being changed. */
const previous = () => optional(z.string().min(32, "must be the secret before, of at least 32 characters, or empty"));

/** An empty variable counts as one that is not set. */
function optional<Schema extends z.ZodType>(schema: Schema) {
  return z.preprocess((value) => (value === "" ? undefined : value), schema.optional());
}

const mailbox = z.string().regex(/^[!-;=?A-~]+@[!-;=?A-~]+$/, "must be an address: name@host");
const url = webAddress("must be an http(s) address");
const count = (fallback: number) =>
  z.preprocess((value) => (value === "" ? undefined : value), z.coerce.number().int().min(1).default(fallback));

const gitCredentialsSchema = z
  .string()
  .transform((text, context) => {
    try {
      return JSON.parse(text);
    } catch {
      context.addIssue({ code: "custom", message: "must be a JSON object" });
      return z.NEVER;
    }
  })
  .pipe(z.record(url, z.string().regex(/^[^:]+:.+$/, 'must be "user:password"')));

const NO_PUBLIC_URL =
  "is missing, and CONTAINERS is not 0: a run in a container does not see the instance's address, and what it commits names its session there; set it to the address that people use, or CONTAINERS to 0. npm run deploy does";

const commitKeySchema = z.string().transform((text, context) => {
  const key = readCommitKey(text);
  if (key !== null) return key;
  const message = "must be an OpenSSH Ed25519 private key without a passphrase: ssh-keygen -t ed25519 -N '' makes one";
  context.addIssue({ code: "custom", message });
  return z.NEVER;
});

const configSchema = z
  .object({
    OWNER_TOKEN: token("OWNER_TOKEN"),
    OWNER_TOKEN_PREVIOUS: previous(),
    SIGNING_KEY: secret("SIGNING_KEY"),
    SIGNING_KEY_PREVIOUS: previous(),
    RUNNER_TOKEN: token("RUNNER_TOKEN"),
    RUNNER_TOKEN_PREVIOUS: previous(),
    ANTHROPIC_API_KEY: optional(z.string()),
    ANTHROPIC_BASE_URL: optional(url),
    DEMO_MODEL_URL: optional(url),
    GIT_CREDENTIALS: optional(gitCredentialsSchema),
    COMMIT_SIGNING_KEY: optional(commitKeySchema),
    COMMIT_NAME: optional(
      z
        .string()
        .regex(/^[\p{L}\p{N}](?:[\p{L}\p{N} ._[\]()-]{0,98}[\p{L}\p{N}\])])?$/u, "must be a name as git keeps it"),
    ),
    COMMIT_EMAIL: optional(mailbox),
    GITHUB_WEBHOOK_SECRET: optional(
      z.string().min(16, "must be at least 16 characters; openssl rand -hex 32 makes one"),
    ),
    GITHUB_WEBHOOK_SECRET_PREVIOUS: optional(z.string()),
    GITHUB_API_URL: optional(url),
    SLACK_SIGNING_SECRET: optional(
      z.string().min(16, "must be the signing secret of an app of Slack's, as its page shows it"),
    ),
    EMAIL_FROM: optional(mailbox),
    RESEND_API_KEY: optional(z.string().regex(/^[!-~]+$/, "must be a key of Resend's, as its page shows it")),
    DEFAULT_MODEL: optional(z.string()),
    ALLOWED_MODELS: optional(z.string()),
    MODEL_REQUEST_FIELDS: optional(z.string()),
    PUBLIC_URL: optional(url),
    JURISDICTION: optional(z.enum(jurisdictions, `must be one of ${jurisdictions.join(", ")}, or empty`)),
    LOCAL_INSTANCE: optional(z.literal("1", 'must be "1" or empty')),
    CONTAINERS: between(0, 1_000, 0),
    CONTAINER_SIZE: optional(z.enum(containerSizes, `must be one of ${containerSizes.join(", ")}, or empty`)),
    ...storeVariables,
    CONNECTORS_LOOPBACK: optional(z.literal("1", 'must be "1" or empty')),
    FIRE_RATE_PER_MINUTE: count(600),
    FIRE_BURST: count(200),
    INSTANCE_RATE_PER_MINUTE: count(6_000),
    ...keepVariables,
  })
  .superRefine(checkStores)
  .check(({ value, issues }) => {
    if (value.CONNECTORS_LOOPBACK !== undefined && value.LOCAL_INSTANCE === undefined) {
      const message = "is for local instances alone: a deployed one calls connectors of the public internet only";
      issues.push({ code: "custom", path: ["CONNECTORS_LOOPBACK"], input: value, message });
    }
    // A run in a container dials a name that exists in no other place.
    if (value.CONTAINERS === 0 || value.PUBLIC_URL !== undefined || value.LOCAL_INSTANCE !== undefined) return;
    issues.push({ code: "custom", path: ["PUBLIC_URL"], input: value, message: NO_PUBLIC_URL });
  })
  .transform((vars) => ({
    ownerTokens: inForce(vars.OWNER_TOKEN, vars.OWNER_TOKEN_PREVIOUS),
    signingKeys: inForce(vars.SIGNING_KEY, vars.SIGNING_KEY_PREVIOUS),
    runnerTokens: inForce(vars.RUNNER_TOKEN, vars.RUNNER_TOKEN_PREVIOUS),
    model: chooseModel(vars),
    defaultModel: vars.DEFAULT_MODEL ?? "claude-sonnet-5",
    /** What subagents may use beside their routine's model. */
    allowedModels: namesIn(vars.ALLOWED_MODELS),
    /** Top-level fields that a request of the Messages API may have beside those that are known here. */
    modelRequestFields: namesIn(vars.MODEL_REQUEST_FIELDS),
    gitCredentials: new Map(
      Object.entries(vars.GIT_CREDENTIALS ?? {}).map(([origin, pair]) => [new URL(origin).origin, pair]),
    ),
    /** As whom runs commit; `key` signs their commits, null where they are not signed. */
    commit: {
      name: vars.COMMIT_NAME ?? COMMIT_IDENTITY.name,
      email: vars.COMMIT_EMAIL ?? COMMIT_IDENTITY.email,
      key: vars.COMMIT_SIGNING_KEY ?? null,
    },
    /** The webhook secrets in force, newest first; none when GitHub has not been set up. */
    githubSecrets: [vars.GITHUB_WEBHOOK_SECRET, vars.GITHUB_WEBHOOK_SECRET_PREVIOUS].filter(
      (secret) => secret !== undefined,
    ),
    /** What Slack signs presses of buttons with; null where messages have none. */
    slackSecret: vars.SLACK_SIGNING_SECRET ?? null,
    mail: { from: vars.EMAIL_FROM ?? null, resendKey: vars.RESEND_API_KEY ?? null },
    github: githubAt(vars.GITHUB_API_URL ?? "https://api.github.com"),
    publicUrl: vars.PUBLIC_URL ?? null,
    jurisdiction: vars.JURISDICTION ?? null,
    isLocal: vars.LOCAL_INSTANCE !== undefined,
    /** How many containers may work at once; 0 when runs are worked on by registered runners alone. */
    containers: vars.CONTAINERS,
    containerSize: vars.CONTAINER_SIZE ?? "standard-2",
    /** Where the values of secrets may be kept beside D1; null where there is none. */
    secretStores: storesIn(vars),
    /** Whether connectors may be at addresses of this machine. */
    connectorsLoopback: vars.CONNECTORS_LOOPBACK !== undefined,
    fireRatePerMinute: vars.FIRE_RATE_PER_MINUTE,
    fireBurst: vars.FIRE_BURST,
    instanceRatePerMinute: vars.INSTANCE_RATE_PER_MINUTE,
    keep: keepIn(vars),
  }));

/** What only `npm start` sets. */
const LOCAL_VARIABLES: readonly string[] = ["LOCAL_INSTANCE", "DEMO_MODEL_URL"] satisfies (keyof Variables)[];

/** What people set, secrets among them. */
export const GIVEN_VARIABLES: readonly string[] = Object.keys(configSchema.in.shape).filter(
  (name) => !LOCAL_VARIABLES.includes(name),
);

/** Variables whose values anybody may see who sees the worker's settings. */
const OPEN_VARIABLES: readonly string[] = [
  "ANTHROPIC_BASE_URL",
  "DEFAULT_MODEL",
  "ALLOWED_MODELS",
  "MODEL_REQUEST_FIELDS",
  "COMMIT_NAME",
  "COMMIT_EMAIL",
  "GITHUB_API_URL",
  "EMAIL_FROM",
  "PUBLIC_URL",
  "JURISDICTION",
  "CONTAINERS",
  "CONTAINER_SIZE",
  "SECRETS_VAULT_URL",
  "SECRETS_VAULT_NAMESPACE",
  "SECRETS_AWS_REGION",
  "SECRETS_AWS_URL",
  "CONNECTORS_LOOPBACK",
  "FIRE_RATE_PER_MINUTE",
  "FIRE_BURST",
  "INSTANCE_RATE_PER_MINUTE",
  ...KEEP_NAMES,
] satisfies (keyof Variables)[];

/** All others: a deploy gives them as secrets. */
export const SECRET_VARIABLES = GIVEN_VARIABLES.filter((name) => !OPEN_VARIABLES.includes(name));

/**
 * GitHub's API, without a slash at the end, and the origin of its pages and repositories: `https://api.github.com` and
 * `https://github.com`; of GitHub Enterprise Server `https://HOST/api/v3` and `https://HOST`.
 */
function githubAt(apiUrl: string): { apiUrl: string; webOrigin: string } {
  const web = new URL(apiUrl);
  web.hostname = web.hostname.replace(/^api\./, "");
  return { apiUrl: apiUrl.replace(/\/+$/, ""), webOrigin: web.origin };
}

/** A list with commas. */
function namesIn(list: string | undefined): string[] {
  return (list ?? "")
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "");
}

/** Checked configuration. `model.kind` is `none` when runs can't start. */
export type Config = z.infer<typeof configSchema>;

export type ModelUpstream =
  | { kind: "anthropic"; baseUrl: string; apiKey: string }
  | { kind: "demo"; baseUrl: string }
  | { kind: "none" };

/** Where model calls go: the real model when there is a key; else, on a local instance, the offline demo model. */
function chooseModel(vars: {
  ANTHROPIC_API_KEY?: string | undefined;
  ANTHROPIC_BASE_URL?: string | undefined;
  DEMO_MODEL_URL?: string | undefined;
  LOCAL_INSTANCE?: string | undefined;
}): ModelUpstream {
  if (vars.ANTHROPIC_API_KEY !== undefined) {
    const baseUrl = vars.ANTHROPIC_BASE_URL ?? "https://api.anthropic.com";
    return { kind: "anthropic", baseUrl: baseUrl.replace(/\/+$/, ""), apiKey: vars.ANTHROPIC_API_KEY };
  }
  if (vars.DEMO_MODEL_URL !== undefined && vars.LOCAL_INSTANCE !== undefined) {
    return { kind: "demo", baseUrl: vars.DEMO_MODEL_URL.replace(/\/+$/, "") };
  }
  return { kind: "none" };
}

export type ConfigCheck =
  | { ok: true; config: Config }
  /** Every fault at once. */
  | { ok: false; issues: { field: string; message: string }[] };

let checked: { env: Variables; check: ConfigCheck } | undefined;

/** Checks all variables and secrets; the answer is kept for the isolate's life. */
export function readConfig(env: Variables): ConfigCheck {
  if (checked?.env === env) return checked.check;
  const parsed = configSchema.safeParse(env);
  const check: ConfigCheck = parsed.success
    ? { ok: true, config: parsed.data }
    : { ok: false, issues: parsed.error.issues.map(({ path, message }) => ({ field: path.join("."), message })) };
  checked = { env, check };
  return check;
}

/** The configuration, for objects: the worker refuses requests before it wakes one in a faulty instance. */
export function requireConfig(env: Variables): Config {
  const check = readConfig(env);
  if (!check.ok) throw new Error(`misconfigured: ${check.issues.map(({ field }) => field).join(", ")}`);
  return check.config;
}
