/** What of a repository's settings has no effect, and what the run sets against it, as tables. */
import { describe, expect, it } from "vitest";
import { NO_TOOL_POLICY } from "#protocol/tools.ts";
import { runSettings } from "#sandbox-runner/agent/repository-settings.ts";

const env = {
  PATH: "/usr/bin",
  HOME: "/run/home",
  ANTHROPIC_BASE_URL: "http://127.0.0.1:1/proxy",
  ANTHROPIC_AUTH_TOKEN: "rvl_proxy",
  CLAUDE_CODE_MAX_RETRIES: "6",
};

function settingsFor(settings: unknown, hookSeconds = 600, tools = NO_TOOL_POLICY) {
  const text = typeof settings === "string" || settings === null ? settings : JSON.stringify(settings);
  return runSettings({ text, env, model: "claude-test-model", hookSeconds, tools });
}

const overridden: [settings: unknown, names: string[]][] = [
  [null, []],
  ["{ not json", []],
  ["[]", []],
  ["\ufeff{}", []],
  [{ permissions: "none", env: 5, hooks: [], sandbox: 1 }, []],
  [{ language: "French", outputStyle: "Explanatory", cleanupPeriodDays: 1, statusLine: { type: "command" } }, []],
  [{ env: { NODE_ENV: "test", PATH: "/opt/bin", LANG: "de_DE.UTF-8", BASH_MAX_TIMEOUT_MS: "600000" } }, []],
  [{ env: { ANTHROPIC_BASE_URL: "https://gateway.corp.example" } }, ["env.ANTHROPIC_BASE_URL"]],
  [{ env: { ANTHROPIC_BASE_URL: "http://127.0.0.1:1/proxy" } }, []],
  [
    { env: { ANTHROPIC_MODEL: "opus", ANTHROPIC_DEFAULT_HAIKU_MODEL: "x", ANTHROPIC_CUSTOM_HEADERS: "a: b" } },
    ["env.ANTHROPIC_MODEL", "env.ANTHROPIC_DEFAULT_HAIKU_MODEL", "env.ANTHROPIC_CUSTOM_HEADERS"],
  ],
  [
    { env: { CLAUDE_CODE_USE_BEDROCK: "1", CLAUDE_CODE_SKIP_VERTEX_AUTH: "1", AWS_REGION: "eu-west-1" } },
    ["env.CLAUDE_CODE_USE_BEDROCK", "env.CLAUDE_CODE_SKIP_VERTEX_AUTH", "env.AWS_REGION"],
  ],
  [{ env: { https_proxy: "http://p", NO_PROXY: "*" } }, ["env.https_proxy", "env.NO_PROXY"]],
  [{ env: { HOME: "/root", CLAUDE_CODE_MAX_RETRIES: "0" } }, ["env.HOME", "env.CLAUDE_CODE_MAX_RETRIES"]],
  [{ permissions: { deny: ["Bash(git push:*)", "Read(./.env)"], allow: ["Bash"] } }, []],
  [{ permissions: { ask: ["Bash(npm:*)"] } }, ["permissions.ask"]],
  [{ permissions: { ask: [] } }, []],
  [
    { permissions: { defaultMode: "plan", disableBypassPermissionsMode: "disable", denyInsteadOfPrompting: true } },
    ["permissions.defaultMode", "permissions.disableBypassPermissionsMode", "permissions.denyInsteadOfPrompting"],
  ],
  [{ permissions: { deny: ["mcp__reveille__report_result"] } }, ["permissions.deny mcp__reveille__report_result"]],
  [{ permissions: { deny: ["mcp__reveille", "mcp__linear"] } }, ["permissions.deny mcp__reveille"]],
  [{ permissions: { deny: ["mcp__*", "*", "mcp__*__report_*"] } }, expect.objectContaining({ length: 3 }) as string[]],
  [{ permissions: { deny: ["mcp__reveille_too", "*_other", `${"*a".repeat(500)}b`] } }, []],
  [{ sandbox: { enabled: true, failIfUnavailable: true } }, ["sandbox"]],
  [{ sandbox: { enabled: false } }, []],
  [{ model: "opus" }, ["model"]],
  [{ model: "claude-test-model" }, []],
  [{ availableModels: ["haiku"], enforceAvailableModels: true }, ["availableModels"]],
  [
    { apiKeyHelper: "x", fallbackModel: ["y"], forceLoginMethod: "console", agent: "reviewer" },
    ["apiKeyHelper", "fallbackModel", "forceLoginMethod", "agent"],
  ],
];

describe("without effect is", () => {
  it.each(overridden)("%j", (settings, names) => {
    expect(settingsFor(settings).overridden).toEqual(names);
  });
});

describe("the run sets", () => {
  it("its sandbox, its permissions and its variables, but no credential and no default", () => {
    const { flags, managed } = settingsFor(null);
    expect(flags).toEqual({
      permissions: { defaultMode: "default", denyInsteadOfPrompting: false, deny: [], ask: [] },
      sandbox: { enabled: false },
      agent: "",
      fallbackModel: [],
      env: { HOME: "/run/home", CLAUDE_CODE_MAX_RETRIES: "6" },
    });
    expect(managed).toBeUndefined();
  });

  it("all rules of the repository but those that would refuse the report", () => {
    const deny = ["Bash(git push:*)", "mcp__reveille", 7, "WebFetch"];
    expect(settingsFor({ permissions: { deny } }).managed).toEqual({
      allowManagedPermissionRulesOnly: true,
      permissions: { deny: ["Bash(git push:*)", "WebFetch"], ask: [] },
    });
  });

  it("what the routine denies of the shell's commands, beside the repository's own rules", () => {
    const tools = { deny: ["WebFetch", "Bash(git push:*)"], ask: [] };
    const { flags, managed } = settingsFor({ permissions: { deny: ["mcp__reveille", "Read"] } }, 600, tools);
    expect(flags).toMatchObject({
      permissions: { deny: ["Bash(git push:*)"], ask: [] },
      disableSkillShellExecution: true,
    });
    expect(managed?.permissions).toEqual({ deny: ["Read", "Bash(git push:*)"], ask: [] });
    expect(settingsFor({}, 600, { deny: ["WebFetch"], ask: [] }).flags).not.toHaveProperty(
      "disableSkillShellExecution",
    );
  });

  it("the model among those that a repository allows", () => {
    expect(settingsFor({ availableModels: ["haiku"] }).flags.availableModels).toEqual(["haiku", "claude-test-model"]);
  });
});

/** Hooks of one event, and the timeouts that the run gives to some of them, when 120 s are what it can bear. */
const hooks: [name: string, hook: object, given: number | null][] = [
  ["no timeout", { type: "command", command: "a" }, 120],
  ["a longer timeout", { type: "command", command: "a", timeout: 3_600 }, 120],
  ["a shorter timeout", { type: "command", command: "a", timeout: 75 }, null],
  ["a timeout that is none", { type: "command", command: "a", timeout: "1h" }, 120],
  ["one that nobody waits for", { type: "command", command: "a", async: true }, null],
  ["a question to the model", { type: "prompt", prompt: "done?" }, null],
  ["a question that may take long", { type: "prompt", prompt: "done?", timeout: 500 }, 120],
  ["a type that does not exist", { type: "zzz" }, null],
];

describe("a hook with", () => {
  it.each(hooks)("%s", (_name, hook, given) => {
    const group = { matcher: "Bash", hooks: [hook] };
    const { flags } = settingsFor({ hooks: { PostToolUse: [group, { matcher: 5, hooks: 7 }] } }, 120);
    const expected = { PostToolUse: [{ matcher: "Bash", hooks: [{ ...hook, timeout: given }] }] };
    expect(flags.hooks).toEqual(given === null ? undefined : expected);
  });

  it("no effect at all is not given again", () => {
    const group = { hooks: [{ type: "command", command: "a", timeout: 3_600 }] };
    const { flags, overridden: names } = settingsFor({ disableAllHooks: true, hooks: { Stop: [group] } }, 120);
    expect([flags.hooks, names]).toEqual([undefined, []]);
  });

  it("an own timeout that is shortened is named", () => {
    const group = { hooks: [{ type: "command", command: "a", timeout: 3_600 }] };
    expect(settingsFor({ hooks: { Stop: [group], SessionEnd: [group] } }, 120).overridden).toEqual([
      "the timeout of a Stop hook (3600 s)",
    ]);
  });
});
