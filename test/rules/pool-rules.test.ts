/** Which host gets a lease, which options of the link are in force, which runners are served, and why runs wait. */
import { expect, it } from "vitest";
import { NO_TOOL_POLICY } from "#protocol/tools.ts";
import { chooseHost } from "#rules/pool/choose-host.ts";
import { featuresInForce } from "#rules/pool/features-in-force.ts";
import { featuresNeeded, setsOf, type WantedEnvironment } from "#rules/pool/features-needed.ts";
import { runnerFault } from "#rules/pool/runner-fault.ts";
import { type PoolState, whyWaiting } from "#rules/pool/why-waiting.ts";

it.each<[string, Record<string, string | null>, string | null]>([
  ["there is no host", {}, null],
  ["the only host has no room", { runners: null }, null],
  ["the only host has room", { runners: "alice" }, "runners alice"],
  ["all have room", { runners: "alice", made: "new-1" }, "runners alice"],
  ["the preferred one is full", { runners: null, made: "new-1" }, "made new-1"],
  ["the preferred one alone has room", { runners: "alice", made: null }, "runners alice"],
  ["all are full", { runners: null, made: null }, null],
  ["the last of three has room", { runners: null, made: null, far: "x" }, "far x"],
])("when %s", (_sentence, rooms, expected) => {
  const chosen = chooseHost(Object.entries(rooms).map(([host, place]) => ({ host, place })));
  expect(chosen === null ? null : `${chosen.host} ${chosen.place}`).toBe(expected);
});

it.each<[string[], string[], string[]]>([
  [[], [], []],
  [[], ["messages"], []],
  [["messages"], [], []],
  [["messages"], ["messages"], ["messages"]],
  [["tomorrow", "messages"], ["messages", "resume"], ["messages"]],
  [
    ["resume", "messages"],
    ["messages", "resume"],
    ["messages", "resume"],
  ],
  [["messages", "messages"], ["messages"], ["messages"]],
  [["Messages"], ["messages"], []],
])("of a runner that knows %j and a pool that knows %j, %j are in force", (told, known, inForce) => {
  expect(featuresInForce(told, known)).toEqual(inForce);
});

it.each<[string, Partial<WantedEnvironment>, boolean]>([
  ["nothing", {}, false],
  ["that nothing is reached", { network: { level: "none", allow: [] } }, false],
  ["a host more", { network: { level: "trusted", allow: ["a.example.com"] } }, true],
  ["hosts of its own", { network: { level: "custom", allow: [] } }, true],
  ["that all is reached", { network: { level: "full", allow: [] } }, true],
  ["a variable", { variables: { CI: "1" } }, true],
  ["a setup script", { setup: { script: "true" } }, true],
])("a run whose environment sets %s may need a runner that knows environments", (_what, sets, isNeeded) => {
  const environment = { network: { level: "trusted" as const, allow: [] }, variables: {}, setup: null, ...sets };
  expect(featuresNeeded(environment, NO_TOOL_POLICY)).toEqual(isNeeded ? ["environment"] : []);
});

it("an attempt that an earlier version began needs nothing, and every set of options is thought of", () => {
  expect(featuresNeeded(null, NO_TOOL_POLICY)).toEqual([]);
  expect(featuresNeeded(null, { deny: [], ask: ["Bash"] })).toEqual(["tools"]);
  expect(setsOf([])).toEqual([[]]);
  expect(setsOf(["environment"])).toEqual([[], ["environment"]]);
});

const OLD = /^runner too old .*needs 0\.1\.0 or later\): update it, and start it again$/;
const NEW = /^runner too new .*speaks protocol \d+\): deploy the instance's newer version first$/;

it.each<[string, { protocol: number; version?: string }, RegExp | null]>([
  ["of this version", { protocol: 2, version: "0.1.0" }, null],
  ["of the protocol before", { protocol: 1, version: "0.1.0" }, null],
  ["that does not tell its version", { protocol: 2 }, null],
  ["of a later version that speaks this protocol", { protocol: 2, version: "0.10.0" }, null],
  ["of a later version with fewer digits in one place", { protocol: 2, version: "1.0.0" }, null],
  ["of a version to be", { protocol: 2, version: "0.2.0-rc.1" }, null],
  ["of an earlier version", { protocol: 2, version: "0.0.99" }, OLD],
  ["of a protocol that is not served any more", { protocol: 0, version: "0.1.0" }, OLD],
  ["of such a protocol that does not tell its version", { protocol: 0 }, OLD],
  ["of a protocol to come", { protocol: 3, version: "9.0.0" }, NEW],
  ["of the last protocol that can be told", { protocol: 9_999 }, NEW],
  ["of a protocol to come that does not tell its version", { protocol: 3 }, NEW],
])("a runner %s is served, or told what to do", (_what, told, expected) => {
  const fault = runnerFault(told);
  if (expected === null) expect(fault).toBeNull();
  else expect(fault).toMatch(expected);
  // What the close of a WebSocket has room for, with the longest version that the protocol takes.
  const longest = runnerFault({
    protocol: told.protocol,
    ...(told.version && { version: "0.0.999999-rc.12345678901" }),
  });
  expect((longest ?? "").length).toBeLessThanOrEqual(123);
});

const runner = (state: PoolState["runners"][number]["state"], reason: string | null = null) => ({ state, reason });

it.each<[string, Partial<PoolState>, string, RegExp]>([
  ["nobody ever came", {}, "no_runner", /^There is no runner in the default pool\.$/],
  ["all have gone", { runners: [runner("lost")] }, "no_runner", /^There is no runner/],
  ["all work", { runners: [runner("busy"), runner("busy")] }, "all_busy", /default pool is busy: 2 runners\.$/],
  ["one works, others left", { runners: [runner("busy"), runner("lost")] }, "all_busy", /: 1 runner\.$/],
  ["one works, one drains", { runners: [runner("busy"), runner("draining")] }, "all_busy", /: 1 runner\.$/],
  ["those that work know too little", { runners: [runner("idle")], isUnmet: true }, "runners_too_old", /knows environ/],
  ["a container could have it", { containers: 1, runners: [runner("busy")], isUnmet: true }, "all_busy", /busy/],
  ["nobody works", { runners: [runner("draining")], isUnmet: true }, "all_draining", /draining/],
  ["containers alone work", { containers: 1 }, "all_busy", /: 1 container\.$/],
  ["the platform has no room", { containers: 3, obstacle: "no_room" }, "no_room", /^The platform has no room/],
  ["nobody starts containers", { containers: 3, obstacle: "silent" }, "containers_silent", /does not answer/],
  ["both work", { containers: 3, runners: [runner("busy")] }, "all_busy", /: 3 containers and 1 runner\.$/],
  ["all drain", { runners: [runner("draining"), runner("lost")] }, "all_draining", /all 1 are draining/],
  [
    "it was refused, and another has served since",
    { runners: [runner("lost"), runner("refused", "x")] },
    "no_runner",
    /^There is no runner/,
  ],
  [
    "another left, and it was refused since",
    { runners: [runner("refused", "x"), runner("lost")] },
    "version_too_old",
    /served: x/,
  ],
  ["it was refused", { runners: [runner("refused", "too old")] }, "version_too_old", /is served: too old\.$/],
  [
    "one was refused, one drains",
    { runners: [runner("refused", "x"), runner("draining")] },
    "all_draining",
    /draining/,
  ],
  ["one was refused, one works", { runners: [runner("refused", "x"), runner("idle")] }, "all_busy", /1 runner/],
])("runs wait where %s", (_what, state, reason, message) => {
  const why = whyWaiting({ name: "default", containers: 0, obstacle: null, runners: [], ...state });
  expect(why.reason).toBe(reason);
  expect(why.message).toMatch(message);
  expect(why.hint).toMatch(/^[A-Z].*\.$/);
  expect(whyWaiting({ containers: 0, obstacle: null, runners: [], ...state, name: "gpu" }).message).toContain(
    'the pool "gpu"',
  );
});
