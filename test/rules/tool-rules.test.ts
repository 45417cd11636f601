/** For which calls a rule of a tool policy is. */
import { describe, expect, it } from "vitest";
import { REPORT_TOOL, readToolRule, toolPolicySchema } from "#protocol/tools.ts";
import { unknownToolRefusal } from "#rules/routine/unknown-tool.ts";
import { judgeCall, toolsNeverLetThrough } from "#rules/tools/judge-call.ts";
import { judge, PUSH, policy } from "./support/judge-command.ts";

const NOTES_TOOL = "mcp__reveille__read_notes";

describe("rules", () => {
  it("count in the order deny, ask, allow", () => {
    const rules = { allow: ["Bash(git:*)"], ask: ["Bash(git push:*)"], deny: ["Bash(git push * --force)"] };
    expect(judge("git pull", rules)).toBe("allow");
    expect(judge("git push origin", rules)).toBe("ask");
    expect(judge("git push origin main --force", rules)).toBe("deny");
    expect(judge("git pull && git push", rules)).toBe("ask");
    expect(judge("npm test", rules)).toBe("deny");
  });

  it.each([
    { rule: "Bash", command: "true", decision: "deny" },
    { rule: "Bash(*)", command: "true", decision: "deny" },
    { rule: "Bash(curl:*)", command: "curl", decision: "deny" },
    { rule: "Bash(curl *)", command: "curl x", decision: "deny" },
    { rule: "Bash(curl:*)", command: "apt-get install curl", decision: "allow" },
    { rule: "Bash(curl:*)", command: "command -v curl", decision: "allow" },
    { rule: "Bash(curl:*)", command: "sudo curl x", decision: "deny" },
    { rule: "Bash(curl:*)", command: "find . -name curl", decision: "allow" },
    { rule: "Bash(curl:*)", command: "find . -exec curl {} +", decision: "deny" },
    { rule: "Bash(npm test)", command: "npm test", decision: "deny" },
    { rule: "Bash(npm test)", command: "npm test -- x", decision: "allow" },
    { rule: "Bash(npm run deploy*:*)", command: "npm run deploy:prod", decision: "deny" },
    { rule: "Bash(npm run deploy*:*)", command: "npm run build", decision: "allow" },
    { rule: "Bash(git * main)", command: "git push origin main", decision: "deny" },
    { rule: "Bash(./deploy.sh:*)", command: "bash deploy.sh now", decision: "deny" },
    { rule: "Bash(./deploy.sh:*)", command: "/srv/app/deploy.sh", decision: "deny" },
    { rule: "Bash(rm -rf:*)", command: "rm -v -rf x", decision: "deny" },
  ])("$rule for: $command", ({ rule, command, decision }) => {
    expect(judge(command, { deny: [rule] })).toBe(decision);
  });

  it("for the shell are for every tool that runs one", () => {
    expect(judge("git push", PUSH, "Monitor")).toBe("deny");
    expect(judge("true", { deny: ["Bash"] }, "Monitor")).toBe("deny");
    expect(judge("true", { deny: ["Monitor"] })).toBe("allow");
    expect(judgeCall(policy({ allow: ["Bash(ls:*)"] }), "Monitor", { ws: {} }).decision).toBe("deny");
  });

  it.each([
    ["WebFetch", "WebFetch", true],
    ["Web*", "WebSearch", true],
    ["Task", "Agent", true],
    ["Agent", "Task", true],
    ["KillShell", "TaskStop", true],
    ["mcp__linear", "mcp__linear__list_issues", true],
    ["mcp__linear", "mcp__linear2__list_issues", false],
    ["mcp__*__list_*", "mcp__linear__list_issues", true],
    ["*", "Read", true],
    ["*", REPORT_TOOL, false],
    ["mcp__reveille", NOTES_TOOL, false],
    [NOTES_TOOL, NOTES_TOOL, true],
    ["Edit", "Write", false],
  ])("%s for %s: %s", (rule, name, isFor) => {
    expect(judgeCall(policy({ deny: [rule] }), name, {}).decision).toBe(isFor ? "deny" : "allow");
    expect(judgeCall(policy({ ask: [rule] }), name, {}).decision).toBe(isFor ? "ask" : "allow");
  });

  it.each([
    [["Bsh"], 'tools.deny[0]: there is no tool "Bsh"; did you mean "Bash"?'],
    [["Read", "Telegraph"], 'tools.deny[1]: there is no tool "Telegraph"'],
    [["Web*", "Task", "mcp__x__y", "*"], null],
  ])("name tools that there are: %j", (deny, words) => {
    const refusal = unknownToolRefusal({ deny, ask: [] });
    if (words === null) expect(refusal).toBeNull();
    else expect(refusal?.message).toContain(words);
  });

  it("keep tools of which nothing is let through from being offered", () => {
    expect(toolsNeverLetThrough(policy({ deny: ["Web*", "Bash(git:*)"] }))).toEqual(["WebFetch", "WebSearch"]);
    expect(toolsNeverLetThrough(policy({ deny: ["Bash"] }))).toEqual(["Bash", "Monitor"]);
    const listed = toolsNeverLetThrough(policy({ allow: ["Read"], ask: ["Bash(git:*)"] }));
    expect(listed).toEqual(expect.arrayContaining(["Edit", "Write"]));
    expect(listed.filter((name) => ["Read", "Bash", "Monitor"].includes(name))).toEqual([]);
    expect(toolsNeverLetThrough(policy({}))).toEqual([]);
  });

  it.each([
    ["", "must be a tool's name"],
    ["Bash(git push", "must be a tool's name"],
    ["Bash (git)", "must be a tool's name"],
    ["Read(src/**)", 'which only rules for Bash have: write "Read"'],
    ["Bash()", "must have a command"],
    ["Bash( git)", "must have a command"],
    ["Bash(git push && x)", "one command by its plain words"],
    ["Bash(echo 'x')", "one command by its plain words"],
    [REPORT_TOOL, "reports its result"],
  ])("that can't be meant are told: %s", (rule, words) => {
    const { error } = toolPolicySchema.safeParse({ deny: [rule] });
    expect(error?.issues[0]?.message).toContain(words);
    expect(readToolRule(rule)).toBeNull();
  });
});
