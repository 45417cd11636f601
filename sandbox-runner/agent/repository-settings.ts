/**
 * What a repository's `.claude/settings.json` may not decide: how the run reaches its model, what it may do without
 * asking, and where it is shut in. Everything else of it stays in effect. No I/O.
 */
import type { Settings } from "@anthropic-ai/claude-agent-sdk";
import { z } from "zod";
import { REPORT_TOOL, type ToolPolicy } from "#protocol/tools.ts";
import { isAboutShell, programRules, shellRules } from "#rules/tools/judge-call.ts";
import { matchesGlob } from "#rules/tools/matches-glob.ts";
import { boundedHooks } from "./hook-bounds.ts";
import { REPORT_SERVER } from "./report-tool.ts";

export interface SettingsInput {
  /** The file's text, or null where the repository has none. */
  text: string | null;
  /** The environment that the run gives to its agent. */
  env: Readonly<Record<string, string>>;
  model: string;
  /** How long a hook may take. */
  hookSeconds: number;
  /** Kept by a hook of the runner's. Here it is kept once more, for calls that a hook of the repository changes after that. */
  tools: ToolPolicy;
}

export interface RunSettings {
  /** Outrank the repository's. */
  flags: Settings;
  /** Outrank those too, where the repository's rules would refuse the runner's own tool. */
  managed: Settings | undefined;
  /** The names of what the repository sets without effect, for people. */
  overridden: string[];
}

const texts = z.array(z.unknown()).transform((list) => list.filter((item) => typeof item === "string"));

/** Only what is looked at here; the agent's program checks the rest, and says what it can't use. */
const repositorySettings = z.looseObject({
  env: z.record(z.string(), z.unknown()).optional().catch(undefined),
  permissions: z
    .looseObject({ deny: texts.optional().catch(undefined), ask: texts.optional().catch(undefined) })
    .optional()
    .catch(undefined),
  sandbox: z.looseObject({ enabled: z.unknown() }).optional().catch(undefined),
  availableModels: texts.optional().catch(undefined),
});
type RepositorySettings = z.infer<typeof repositorySettings>;

/**
 * Variables by which the model, its credential and the way to it are chosen. The agent's program takes none of these from
 * settings files while `CLAUDE_CODE_PROVIDER_MANAGED_BY_HOST` is set.
 */
const MODEL_PATH_VARIABLES = [
  /^ANTHROPIC_(API_KEY|AUTH_TOKEN|BASE_URL|CUSTOM_HEADERS|UNIX_SOCKET|MODEL|SMALL_FAST_MODEL|DEFAULT_\w+|BEDROCK_BASE_URL)$/,
  /^CLAUDE_CODE_(USE|SKIP)_(BEDROCK|VERTEX|FOUNDRY|MANTLE|GATEWAY|ANTHROPIC_\w+)(_AUTH)?$/,
  /^CLAUDE_CODE_(OAUTH_TOKEN|SUBAGENT_MODEL)$/,
  /^(AWS_(REGION|DEFAULT_REGION|PROFILE|ACCESS_KEY_ID|SECRET_ACCESS_KEY|SESSION_TOKEN|BEARER_TOKEN_BEDROCK)|CLOUD_ML_REGION)$/,
  /^(HTTPS?|ALL|NO)_PROXY$/i,
  /^(NODE_EXTRA_CA_CERTS|NODE_TLS_REJECT_UNAUTHORIZED|SSL_CERT_FILE|SSL_CERT_DIR)$/,
];
/** The run sets these as a default: a repository may know better. */
const OPEN_VARIABLES = ["PATH", "LANG", "SHELL", "USER"];

/** Settings that take effect nowhere: options that the run gives outrank them, or there is nobody to be asked or signed in. */
const NEVER_IN_EFFECT = [
  ...["apiKeyHelper", "awsAuthRefresh", "awsCredentialExport", "gcpAuthRefresh", "proxyAuthHelper"],
  ...["fallbackModel", "forceLoginMethod", "forceLoginOrgUUID", "agent"],
];
const PERMISSIONS_NEVER_IN_EFFECT = ["ask", "defaultMode", "disableBypassPermissionsMode", "denyInsteadOfPrompting"];

export function runSettings({ text, env, model, hookSeconds, tools }: SettingsInput): RunSettings {
  const theirs = read(text);
  const denied = theirs.permissions?.deny ?? [];
  const againstReport = denied.filter(coversReport);
  const hooks = boundedHooks(theirs["disableAllHooks"] === true ? undefined : theirs["hooks"], hookSeconds);
  const models = theirs.availableModels;
  const ownRules = { deny: shellRules(tools.deny), ask: programRules(tools.ask) };
  return {
    flags: {
      // Whoever may skip permission questions need not be asked; where the repository forbids to skip them, the runner answers.
      permissions: { defaultMode: "default", denyInsteadOfPrompting: false, ...ownRules },
      // Commands in a skill's text are no calls of a tool, so no hook is asked about them.
      ...(isAboutShell(tools) ? { disableSkillShellExecution: true } : {}),
      sandbox: { enabled: false },
      agent: "",
      fallbackModel: [],
      env: Object.fromEntries(Object.entries(env).filter(([name]) => isRestated(name))),
      ...(models === undefined ? {} : { availableModels: [...models, model] }),
      ...(hooks.settings === undefined ? {} : { hooks: hooks.settings }),
    },
    managed:
      againstReport.length === 0
        ? undefined
        : {
            allowManagedPermissionRulesOnly: true,
            permissions: { ...ownRules, deny: [...denied.filter((rule) => !coversReport(rule)), ...ownRules.deny] },
          },
    overridden: [
      ...Object.entries(theirs.env ?? {}).flatMap(([name, value]) =>
        isOwn(name, env) && value !== env[name] ? [`env.${name}`] : [],
      ),
      ...againstReport.map((rule) => `permissions.deny ${rule}`),
      ...PERMISSIONS_NEVER_IN_EFFECT.filter((name) => isSet(theirs.permissions?.[name])).map(
        (name) => `permissions.${name}`,
      ),
      ...(isSet(theirs.sandbox) && theirs.sandbox?.enabled !== false ? ["sandbox"] : []),
      ...(isSet(theirs["model"]) && theirs["model"] !== model ? ["model"] : []),
      ...(models === undefined || models.includes(model) ? [] : ["availableModels"]),
      ...NEVER_IN_EFFECT.filter((name) => isSet(theirs[name])),
      ...hooks.shortened,
    ],
  };
}

function read(text: string | null): RepositorySettings {
  try {
    const parsed = repositorySettings.safeParse(JSON.parse((text ?? "{}").replace(/^\ufeff/, "")));
    return parsed.success ? parsed.data : {};
  } catch {
    // The agent's program says that it could not read the file, and does without.
    return {};
  }
}

function isSet(value: unknown): boolean {
  if (value === undefined || value === null || value === "" || value === false) return false;
  return typeof value !== "object" || Object.keys(value).length > 0;
}

/** Whether the run itself decides about a variable. */
function isOwn(name: string, env: Readonly<Record<string, string>>): boolean {
  if (OPEN_VARIABLES.includes(name)) return false;
  return Object.hasOwn(env, name) || MODEL_PATH_VARIABLES.some((pattern) => pattern.test(name));
}

/** The model's path is guarded otherwise, and its token must not get into the command line, where all of this goes. */
function isRestated(name: string): boolean {
  return !OPEN_VARIABLES.includes(name) && !name.startsWith("ANTHROPIC_");
}

/** Whether a rule such as `mcp__reveille`, `mcp__*` or `*` refuses the tool by which the agent reports. */
function coversReport(rule: string): boolean {
  const [name = ""] = rule.split("(");
  return [REPORT_TOOL, REPORT_SERVER].some((tool) => matchesGlob(tool, name.trim()));
}
