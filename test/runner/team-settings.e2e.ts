/** Settings that a team checks in: the run's own outrank them, and their hooks and refusals are seen. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { call, noticesOf } from "./support/agent-steps.ts";
import { Bed, bash, noSandbox, report } from "./support/bed.ts";
import { commandHook, seedSettings } from "./support/team-repository.ts";

describe.skipIf(noSandbox !== null)("a repository with settings", { concurrent: true }, () => {
  let bed: Bed;
  beforeAll(async () => {
    bed = await Bed.make();
    seedSettings(bed, "strict", {
      env: {
        ANTHROPIC_BASE_URL: "https://gateway.corp.example",
        CLAUDE_CODE_USE_BEDROCK: "1",
        API_TIMEOUT_MS: "1",
        TEAM_FLAG: "on",
      },
      model: "claude-other-model",
      availableModels: ["claude-haiku-4-5"],
      enforceAvailableModels: true,
      permissions: {
        deny: ["Bash(git push:*)", "mcp__reveille"],
        ask: ["Bash(echo:*)"],
        defaultMode: "plan",
        disableBypassPermissionsMode: "disable",
      },
      sandbox: { enabled: true, failIfUnavailable: true },
    });
    seedSettings(bed, "hooked", {
      hooks: {
        SessionStart: [commandHook("echo the team says hello")],
        PreToolUse: [commandHook("echo policy says no >&2; exit 2", { matcher: "Bash|mcp__reveille__.*" })],
        PostToolUse: [commandHook("sleep 300", { matcher: "Write" })],
        Stop: [commandHook("[ -e stopped ] && exit 0; touch stopped; echo tests are red >&2; exit 2")],
      },
    });
  });
  afterAll(() => bed.close());

  it("reaches its model, works and reports as the run is to, and keeps the team's own rules", async () => {
    const run = bed.run(
      [bash('echo "$TEAM_FLAG" > new.txt; cat new.txt'), bash("git push origin main"), report("done", "Done."), "Bye."],
      ["strict"],
    );
    expect(await run.finished()).toMatchObject({
      outcome: { status: "succeeded" },
      report: { result: "done", summary: "Done." },
      seen: { tool_calls: 3, tools_refused: 1 },
    });
    const results = run.events.filter((event) => event.type === "tool.result");
    expect(results.map(({ is_error }) => is_error)).toEqual([false, true, false]);
    expect(results[0]?.text).toBe("on");
    expect(noticesOf(run, "tool_refused")).toMatchObject([
      { message: expect.stringContaining("git push origin main") },
    ]);
    const [overridden, ...more] = noticesOf(run, "settings_overridden");
    expect(more).toEqual([]);
    expect(overridden?.message.split("Without effect: ")[1]).toBe(
      "env.ANTHROPIC_BASE_URL, env.CLAUDE_CODE_USE_BEDROCK, env.API_TIMEOUT_MS, permissions.deny mcp__reveille, permissions.ask, permissions.defaultMode, permissions.disableBypassPermissionsMode, sandbox, model, availableModels.",
    );
  });

  it("shows its hooks, cuts off one that hangs, and lets no hook take the report away", async () => {
    const run = bed.run(
      [bash("echo hi"), call("Write", { file_path: "a", content: "x" }), report("done", "Done."), "Bye.", "Bye again."],
      ["hooked"],
      { hook_deadline_ms: 3_000 },
    );
    expect(await run.finished()).toMatchObject({
      outcome: { status: "succeeded" },
      report: { result: "done", summary: "Done." },
      seen: { tools_refused: 2 },
    });
    const said = run.events.flatMap((event) =>
      event.type === "notice" && event.code.startsWith("hook") ? [[event.code, event.message]] : [],
    );
    expect(said).toEqual([
      ["hook", expect.stringMatching(/^Hook SessionStart:startup ran \(.+\): the team says hello$/)],
      ["hook_blocked", expect.stringMatching(/^Hook PreToolUse:Bash blocked \(.+\): policy says no$/)],
      ["hook_cut", expect.stringMatching(/^Hook PostToolUse:Write did not end, and was cut off after [34]\.\d s\.$/)],
      ["hook_blocked", expect.stringMatching(/^Hook PreToolUse:mcp__reveille__report_result blocked \(.+\): policy/)],
      ["hook_blocked", expect.stringMatching(/^Hook Stop blocked \(.+\): tests are red$/)],
      ["hook", expect.stringMatching(/^Hook Stop ran \(.+\)\.$/)],
    ]);
  });
});
