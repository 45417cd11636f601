/** Names that each object has of JavaScript are names like any other, wherever somebody outside may give one. */
import { describe, expect, it } from "vitest";
import { ownValue } from "#protocol/own-value.ts";
import { readToolRule, toolPolicySchema } from "#protocol/tools.ts";
import { filterMessages } from "#rules/connectors/server-messages.ts";
import { readCron } from "#rules/schedules/cron-fields.ts";
import { zoneNameFault } from "#rules/schedules/zone-name.ts";
import { judgeCall } from "#rules/tools/judge-call.ts";
import { callsOf } from "#rules/tools/shell-calls.ts";
import { boundedHooks } from "#sandbox-runner/agent/hook-bounds.ts";

const NAMES = ["constructor", "toString", "valueOf", "hasOwnProperty", "isPrototypeOf", "__proto__"];
const policy = toolPolicySchema.parse({ deny: ["Bash(git push:*)", "Web*"] });
const access = { rules: { allow: ["*"], deny: [], read_only: false }, readOnly: new Set<string>() };

describe.each(NAMES)("%s", (name) => {
  it("is no entry of a table", () => {
    expect(ownValue({ a: 1 }, name)).toBeUndefined();
  });

  it("is a tool's name", () => {
    expect(judgeCall(policy, name, { command: "git push" })).toEqual({ decision: "allow" });
    expect(readToolRule(name)?.name ?? name).toBe(name);
  });

  it("is a command, before which nothing stands", () => {
    expect(callsOf(`${name} git push`).commands.map(({ words }) => words.map(({ text }) => text))).toContainEqual([
      name,
      "git",
      "push",
    ]);
    expect(judgeCall(policy, "Bash", { command: `git push origin ${name}` }).decision).toBe("deny");
  });

  it("is no zone, no nickname of a schedule, and no request that a server may make", () => {
    expect(zoneNameFault(name)).toMatch(/^".+" is no IANA time zone/);
    expect(JSON.stringify(readCron(`@${name}`))).toContain("is no cron expression");
    const { declined } = filterMessages({ jsonrpc: "2.0", id: 1, method: name }, "acme", access);
    expect(declined).toEqual([expect.stringContaining("for something that runs do not do")]);
  });

  it("is an event of a repository's hooks, and a type of them", () => {
    const given = JSON.parse(`{"${name}":[{"hooks":[{"type":"command","timeout":900},{"type":"${name}"}]}]}`);
    const { settings, shortened } = boundedHooks(given, 5);
    if (name === "__proto__") return expect(settings).toBeUndefined();
    expect(settings).toEqual({ [name]: [{ hooks: [{ type: "command", timeout: 5 }] }] });
    return expect(shortened).toEqual([`the timeout of a ${name} hook (900 s)`]);
  });
});

it("a shell's braces are read as deep as its other substitutions, and no deeper", () => {
  expect(callsOf(`echo ${"${a:-".repeat(3)}x${"}".repeat(3)}; git push`).isClear).toBe(true);
  expect(callsOf(`echo ${"${a:-".repeat(9)}x${"}".repeat(9)}; git push`).isClear).toBe(false);
  expect(judgeCall(policy, "Bash", { command: "${".repeat(30_000) }).decision).toBe("deny");
});
