/** Many kinds of settings that a team may check in: one run for each, which has to reach its model, work and report. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ReplyPlan } from "#scripts/demo-model/messages-api.ts";
import { call, noticesOf } from "../runner/support/agent-steps.ts";
import { Bed, bash, noSandbox, report, type Script } from "../runner/support/bed.ts";
import { commandHook, seedSettings } from "../runner/support/team-repository.ts";

const env = (variables: Record<string, string>) => ({ env: variables });
const permissions = (rules: object) => ({ permissions: rules });
const preToolUse = (command: string, matcher?: string) => ({
  hooks: { PreToolUse: [commandHook(command, matcher === undefined ? {} : { matcher })] },
});
const verdict = (decision: string) =>
  `echo '${JSON.stringify({ hookSpecificOutput: { hookEventName: "PreToolUse", permissionDecision: decision } })}'`;

/** Settings, and what the one notice names; null where nothing is without effect. */
const harmless: [name: string, settings: unknown, named: string | null][] = [
  [
    "a gateway",
    env({ ANTHROPIC_BASE_URL: "https://gateway.corp.example", ANTHROPIC_AUTH_TOKEN: "team" }),
    "env.ANTHROPIC_BASE_URL, env.ANTHROPIC_AUTH_TOKEN",
  ],
  [
    "a key",
    env({ ANTHROPIC_API_KEY: "sk-team", ANTHROPIC_CUSTOM_HEADERS: "x-team: 1" }),
    "env.ANTHROPIC_API_KEY, env.ANTHROPIC_CUSTOM_HEADERS",
  ],
  [
    "Bedrock",
    env({ CLAUDE_CODE_USE_BEDROCK: "1", AWS_REGION: "eu-west-1", AWS_PROFILE: "team" }),
    "env.CLAUDE_CODE_USE_BEDROCK, env.AWS_REGION, env.AWS_PROFILE",
  ],
  [
    "Vertex",
    env({ CLAUDE_CODE_USE_VERTEX: "1", CLOUD_ML_REGION: "europe-west1" }),
    "env.CLAUDE_CODE_USE_VERTEX, env.CLOUD_ML_REGION",
  ],
  ["Foundry", env({ CLAUDE_CODE_USE_FOUNDRY: "1" }), "env.CLAUDE_CODE_USE_FOUNDRY"],
  [
    "models",
    env({ ANTHROPIC_MODEL: "opus", ANTHROPIC_DEFAULT_SONNET_MODEL: "x", ANTHROPIC_SMALL_FAST_MODEL: "y" }),
    "env.ANTHROPIC_MODEL, env.ANTHROPIC_DEFAULT_SONNET_MODEL, env.ANTHROPIC_SMALL_FAST_MODEL",
  ],
  [
    "proxies",
    env({ HTTP_PROXY: "http://127.0.0.1:9", https_proxy: "http://127.0.0.1:9", NO_PROXY: "*" }),
    "env.HTTP_PROXY, env.https_proxy, env.NO_PROXY",
  ],
  [
    "certificates",
    env({ NODE_EXTRA_CA_CERTS: "/nowhere", SSL_CERT_FILE: "/nowhere" }),
    "env.NODE_EXTRA_CA_CERTS, env.SSL_CERT_FILE",
  ],
  [
    "the run's own variables",
    env({
      HOME: "/root",
      CLAUDE_CONFIG_DIR: "/root/.claude",
      IS_SANDBOX: "",
      REVEILLE_RUN_ID: "run_x",
      GIT_CONFIG_SYSTEM: "/dev/null",
    }),
    "env.HOME, env.CLAUDE_CONFIG_DIR, env.IS_SANDBOX, env.REVEILLE_RUN_ID, env.GIT_CONFIG_SYSTEM",
  ],
  [
    "variables of its own",
    env({ NODE_ENV: "test", NODE_OPTIONS: "--max-old-space-size=512", LANG: "de_DE.UTF-8" }),
    null,
  ],
  [
    "helpers",
    { apiKeyHelper: "echo k", awsAuthRefresh: "sleep 60", otelHeadersHelper: "sleep 60" },
    "apiKeyHelper, awsAuthRefresh",
  ],
  [
    "a sign-in",
    { forceLoginMethod: "console", forceLoginOrgUUID: "00000000-0000-0000-0000-000000000000" },
    "forceLoginMethod, forceLoginOrgUUID",
  ],
  ["a model", { model: "opus", availableModels: ["haiku"], enforceAvailableModels: true }, "model, availableModels"],
  ["a main agent", { agent: "reviewer" }, "agent"],
  ["questions", permissions({ ask: ["Bash", "mcp__reveille__report_result"] }), "permissions.ask"],
  ["no bypass", permissions({ disableBypassPermissionsMode: "disable" }), "permissions.disableBypassPermissionsMode"],
  [
    "no bypass, and a plan",
    permissions({ disableBypassPermissionsMode: "disable", defaultMode: "plan" }),
    "permissions.defaultMode, permissions.disableBypassPermissionsMode",
  ],
  [
    "no bypass, and no questions",
    permissions({ disableBypassPermissionsMode: "disable", denyInsteadOfPrompting: true, defaultMode: "dontAsk" }),
    "permissions.defaultMode, permissions.disableBypassPermissionsMode, permissions.denyInsteadOfPrompting",
  ],
  ["a rule against all MCP tools", permissions({ deny: ["mcp__*"] }), "permissions.deny mcp__*"],
  ["a rule against everything", permissions({ deny: ["*"] }), "permissions.deny *"],
  [
    "servers that are allowed",
    { allowedMcpServers: [{ serverName: "x" }], deniedMcpServers: [{ serverName: "reveille" }] },
    null,
  ],
  ["a sandbox", { sandbox: { enabled: true, failIfUnavailable: true, network: { allowedDomains: [] } } }, "sandbox"],
  ["no hooks", { disableAllHooks: true, ...preToolUse("exit 2") }, null],
  ["a hook that asks", preToolUse(verdict("ask")), null],
  ["a hook that allows", preToolUse(verdict("allow")), null],
  ["a hook that is not there", preToolUse("./no-such-hook.sh"), null],
  [
    "hooks in the background",
    { hooks: { PostToolUse: [{ hooks: [{ type: "command", command: "sleep 300", async: true }] }] } },
    null,
  ],
  ["a hook that leaves a process", { hooks: { PostToolUse: [commandHook("(setsid sleep 300 &); echo left")] } }, null],
  ["no JSON", "{ nothing", null],
  ["a key of the wrong form", { permissions: { defaultMode: "whatever" }, hooks: 7 }, "permissions.defaultMode"],
];

const work: Script = [bash("echo hi > new.txt; cat new.txt"), report("done", "Done."), "Bye."];
const subagent = (prompt: string): ReplyPlan =>
  call("Agent", { description: "Look", prompt, subagent_type: "general-purpose", run_in_background: true });

describe.skipIf(noSandbox !== null)("a repository with", { concurrent: true }, () => {
  let bed: Bed;
  let count = 0;
  beforeAll(async () => {
    bed = await Bed.make();
  });
  afterAll(() => bed.close());

  function runWith(settings: unknown, script: Script, changes = {}, files: Record<string, string> = {}) {
    count += 1;
    seedSettings(bed, `team-${count}`, settings, files);
    return bed.run(script, [`team-${count}`], changes);
  }

  it.each(harmless)("%s", async (_name, settings, named) => {
    const agent = "---\nname: reviewer\ndescription: Reviews\ntools: Read\n---\nYou review.\n";
    const run = runWith(settings, work, {}, { ".claude/agents/reviewer.md": agent });
    expect(await run.finished(90_000)).toMatchObject({ outcome: { status: "succeeded" }, report: { result: "done" } });
    expect(await run.event("tool.result")).toMatchObject({ is_error: false, text: "hi" });
    const names = noticesOf(run, "settings_overridden").map(({ message }) => message.split("Without effect: ")[1]);
    expect(names).toEqual(named === null ? [] : [`${named}.`]);
  });

  it("rules that hold", async () => {
    const deny = ["Bash(git push:*)", "Read(./.env)", "Write"];
    const steps = [
      bash("git push"),
      call("Read", { file_path: ".env" }),
      call("Write", { file_path: "a", content: "x" }),
    ];
    const run = runWith(permissions({ deny }), [...steps, report("done", "Done."), "Bye."], {}, { ".env": "x" });
    expect((await run.finished()).seen).toMatchObject({ tools_refused: 2 });
    const results = run.events.filter((event) => event.type === "tool.result");
    expect(results.map(({ is_error }) => is_error)).toEqual([true, true, true, false]);
    expect(noticesOf(run, "tool_refused").length).toBeGreaterThan(0);
  });

  it("rules that hold for subagents, which work", async () => {
    const run = runWith(permissions({ ask: ["Bash"], disableBypassPermissionsMode: "disable" }), [
      subagent("Look around."),
      "I wait.",
      report("done", "Done."),
      "Bye.",
    ]);
    expect((await run.finished()).report?.result).toBe("done");
  });

  it("settings that change while the run is on", async () => {
    const late = JSON.stringify({
      ...env({ ANTHROPIC_BASE_URL: "http://127.0.0.1:9", CLAUDE_CODE_USE_BEDROCK: "1" }),
      ...permissions({ disableBypassPermissionsMode: "disable", ask: ["Bash"] }),
    });
    const change = bash(`echo '${late}' > .claude/settings.json; command sleep 3`);
    const run = runWith({}, [change, bash("echo hi > new.txt; cat new.txt"), report("done", "Done."), "Bye."]);
    expect((await run.finished()).report?.result).toBe("done");
    expect(run.events.filter((event) => event.type === "tool.result").map(({ is_error }) => is_error)).toEqual([
      false,
      false,
      false,
    ]);
  });

  it("a model to fall back to, when the run's own is busy", async () => {
    let calls = 0;
    const run = runWith({ fallbackModel: ["claude-other-model"] }, ["Done."]);
    bed.faults.set(run.order.task, () => {
      calls += 1;
      return calls <= 3 ? { kind: "error", status: 529, type: "overloaded_error", message: "Busy." } : null;
    });
    expect((await run.finished(90_000)).outcome).toEqual({ status: "succeeded" });
  });

  it("a hook that takes the task back", async () => {
    const run = runWith({ hooks: { UserPromptSubmit: [commandHook("echo not today >&2; exit 2")] } }, work);
    expect((await run.finished()).outcome).toMatchObject({
      error: { code: "stopped_by_hook", message: expect.stringContaining("not today") },
    });
    expect(noticesOf(run, "hook_blocked")).toHaveLength(1);
  });

  it("a hook that stops the agent", async () => {
    const run = runWith(preToolUse(`echo '{"continue":false,"stopReason":"enough"}'`, "Bash"), work);
    expect((await run.finished()).outcome).toMatchObject({ error: { code: "stopped_by_hook" } });
    expect(noticesOf(run, "hook_blocked")).toMatchObject([{ message: expect.stringContaining("enough") }]);
  });

  it("hooks that hang, and a run that has not reported", async () => {
    const write = (name: string) => call("Write", { file_path: name, content: "x" });
    const run = runWith({ hooks: { PostToolUse: [commandHook("sleep 300")] } }, [write("a"), write("b"), write("c")], {
      hook_deadline_ms: 2_000,
    });
    expect((await run.finished()).outcome).toMatchObject({
      status: "failed",
      error: { code: "hook_timed_out", phase: "agent" },
    });
    expect(noticesOf(run, "hook_cut")).toHaveLength(2);
  });

  it("hooks that hang, and a run that has reported", async () => {
    const write = call("Write", { file_path: "a", content: "x" });
    const run = runWith(
      { hooks: { PostToolUse: [commandHook("sleep 300")] } },
      [write, report("done", "Done."), "Bye."],
      {
        hook_deadline_ms: 2_000,
      },
    );
    expect(await run.finished()).toMatchObject({ outcome: { status: "succeeded" }, report: { result: "done" } });
  });

  it("a hook that takes longer than the program's start may", async () => {
    const run = runWith({ hooks: { SessionStart: [commandHook("sleep 12; echo ready")] } }, work, {
      agent_start_deadline_ms: 10_000,
    });
    expect((await run.finished()).report?.result).toBe("done");
    expect(noticesOf(run, "hook")).toMatchObject([{ message: expect.stringMatching(/^Hook SessionStart.*ready$/) }]);
    expect(noticesOf(run, "hook_running")).toHaveLength(1);
  });

  it("a hook that never lets the agent stop", async () => {
    const stop = { hooks: { Stop: [commandHook("echo tests are red >&2; exit 2")] } };
    const run = runWith(stop, [report("done", "Done."), ...Array.from({ length: 14 }, (_, turn) => `Bye ${turn}.`)]);
    expect((await run.finished()).outcome).toEqual({ status: "succeeded" });
    const blocked = noticesOf(run, "hook_blocked");
    expect(blocked.length).toBeGreaterThan(3);
    expect(blocked[0]?.message).toMatch(/^Hook Stop blocked \(.+\): tests are red$/);
  });
});
