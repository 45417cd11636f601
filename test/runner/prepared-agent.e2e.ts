/** An agent whose program was started before there was a run asks its model as one does that was started for the run. */
import { basename } from "node:path";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import type { RunOrder } from "#protocol/runner-link.ts";
import { Bed, bash, noSandbox, report, type Script } from "./support/bed.ts";
import type { FakeRun } from "./support/fake-run.ts";
import { agentsOf, callsOf, logged, taken } from "./support/prepared-agents.ts";
import { processesWith } from "./support/processes.ts";
import { ENVIRONMENT } from "./support/run-order.ts";
import { entriesOf, goOn, newSession } from "./support/sessions.ts";
import { until } from "./support/until.ts";
import { seedUpstream } from "./support/upstream.ts";

/** Of a routine whose environment sets nothing. */
const OPEN = { ...ENVIRONMENT, variables: {}, secret_values: [] };
const SUCCEEDED = { status: "succeeded" };
const REPORTED = { outcome: SUCCEEDED, report: { result: "done", summary: "Looked." } };
const resultsOf = ({ events }: FakeRun) => events.flatMap((one) => (one.type === "tool.result" ? [one.text] : []));

/** Waits for so many spares whose agent waits for a run. @returns their names. */
function agentsWait(bed: Bed, count = 1): Promise<string[]> {
  return until("an agent waits", () => {
    const spares = bed.executors().flatMap(({ folder, runId }) => (runId === null ? [basename(folder)] : []));
    const times = (what: string, name: string) => logged(bed, what).filter(({ executor }) => executor === name).length;
    // One that was lost is ready again only some time after that; a run that has ended has no lease any more either.
    const waiting = spares.filter(
      (name) => times("agent_ready", name) > times("prepared_agent_lost", name) && times("agent_waited", name) === 0,
    );
    return waiting.length >= count && waiting;
  });
}

/** What its conversation's entries are, and whether each follows from another. */
function entryKinds(run: FakeRun): unknown[] {
  return entriesOf(run).map(({ type, attachment, parentUuid }) => {
    const kind = typeof attachment === "object" && attachment !== null && "type" in attachment ? attachment.type : null;
    return { type, kind, isFirst: parentUuid === null };
  });
}

describe.skipIf(noSandbox !== null)("a prepared agent's calls are those of one started for its run", () => {
  // What differs between runs goes together: whichever of it the two were started with otherwise would be seen.
  it.each<[string, Partial<RunOrder>]>([
    ["as most are", {}],
    [
      "whose conversation is kept, of another model, with notes, things to show, a review, few turns and rules for its tools",
      {
        ...newSession(),
        ...{ notes: ["findings", "to-do"], turns: 5 },
        ...{ reviews: "run_01ARYZ6S41TSV4RRFFQ69G5FAV", takes: ["artifacts", "diff"] },
        ...{ model: "claude-opus-5", other_models: ["claude-haiku-5"] },
        tools: { deny: ["Bash(rm *)", "Write"], ask: ["Bash(curl *)"] },
      },
    ],
    [
      "that can ask nobody, about a stranger's commit, with a list of its tools and all of the internet",
      {
        ...{ asks: false, checkout: forkOf("https://code.example.com/app") },
        tools: { allow: ["Bash", "Read"], deny: [], ask: [] },
        environment: { ...OPEN, network: { level: "full", allow: [] } },
      },
    ],
  ])("%s", async (_what, changes) => {
    const bed = await Bed.make();
    onTestFinished(() => bed.close());
    // One of the cases has a rule against the second command.
    const script: Script = [
      bash("env | cut -d= -f1 | sort"),
      bash("rm -f nothing"),
      report("done", "Looked."),
      "Done.",
    ];
    const run = () => bed.run(script, [], { environment: OPEN, ...changes });
    const cold = run();
    expect(await cold.finished()).toMatchObject(REPORTED);
    await agentsWait(bed);
    const prepared = run();
    expect(await prepared.finished()).toMatchObject(REPORTED);
    expect(resultsOf(prepared)).toEqual(resultsOf(cold));
    expect(resultsOf(cold)).toHaveLength(3);
    expect(taken(bed)).toEqual([true]);
    // It was told beforehand all that the run's own program is told first.
    expect(logged(bed, "prepared_agent_unfit")).toEqual([]);
    // Also after its first call of a tool, before which it is told which run it has.
    expect(callsOf(bed, prepared)).toEqual(callsOf(bed, cold));
    expect(callsOf(bed, cold).length).toBeGreaterThan(2);
    // Nothing is left of what it has practised, and what it has used is what the cold one has.
    expect(entryKinds(prepared)).toEqual(entryKinds(cold));
    expect(prepared.ending?.seen).toEqual(cold.ending?.seen);
    expect(JSON.stringify([prepared.stored, callsOf(bed, prepared)])).not.toMatch(/practised?\b/i);
  });
});

describe.skipIf(noSandbox !== null)("a prepared agent", () => {
  let bed: Bed;
  beforeAll(async () => {
    bed = await Bed.make({ REVEILLE_SPARES: "2" });
    seedUpstream(bed.upstream, "app", { "README.md": "# App\n", "CLAUDE.md": "Speak like a pirate.\n" });
  });
  afterAll(() => bed.close());
  /** A run of the kind that is expected: each test has as many of these as of others, and so none of those gets to be expected. */
  const expectOpen = () => open(["Done."]).finished();
  const open = (script: Script, changes: Partial<RunOrder> = {}, repositories: string[] = []) =>
    bed.run(script, repositories, { environment: OPEN, ...newSession(), ...changes });

  it.each<[string, Partial<RunOrder>, string[]]>([
    ["repository", {}, ["app"]],
    ["variable", { environment: { ...OPEN, variables: { GREETING: "hello" } } }, []],
    ["setup script", { environment: { ...OPEN, setup: { script: "touch ~/made", cache_key: "a".repeat(64) } } }, []],
    ["connector", { mcp_servers: ["none"] }, []],
    ["rule that was not expected", { tools: { deny: ["Read"], ask: [] } }, []],
  ])("is not taken by a run with a %s, and leaves nothing to it", async (_what, changes, repositories) => {
    await expectOpen();
    await agentsWait(bed);
    const before = taken(bed).length;
    const run = open(["Done."], changes, repositories);
    expect((await run.finished()).outcome).toEqual(SUCCEEDED);
    expect(taken(bed).slice(before)).toEqual([false]);
    expect(JSON.stringify(bed.instance.modelCalls.get(run.order.run_id)?.[0]?.headers)).toContain(run.proxyToken);
  });

  it("that has died, or hangs, is not taken; the run starts its own", async () => {
    await expectOpen();
    for (const signal of ["SIGKILL", "SIGSTOP"] as const) {
      const waiting = await agentsWait(bed, 2);
      const before = taken(bed).length;
      const agents = waiting.flatMap(agentsOf);
      expect(agents).toHaveLength(2);
      for (const pid of agents) process.kill(pid, signal);
      // Both of those that were stopped: what hangs is ended only when a run comes for it.
      const runs = signal === "SIGSTOP" ? [open(["Done."]), open(["Done."])] : [open(["Done."])];
      for (const run of runs) expect((await run.finished()).outcome).toEqual(SUCCEEDED);
      expect(taken(bed).slice(before)).not.toContain(true);
    }
  });

  it("whose sandbox is lost when its run comes is not taken: the run asks its model by its own way", async () => {
    await expectOpen();
    for (const name of await agentsWait(bed, 2)) {
      const bridges = processesWith(name).filter((line) => /^\d+ socat UNIX-LISTEN/.test(line));
      expect(bridges).not.toEqual([]);
      for (const line of bridges) process.kill(Number(line.split(" ")[0]), "SIGKILL");
    }
    const run = open([bash('echo "$ANTHROPIC_BASE_URL"'), "Done."]);
    expect((await run.event("tool.result")).text).toContain(`/proxy/${run.order.run_id}/model`);
    expect((await run.finished()).outcome).toEqual(SUCCEEDED);
  });

  it("that dies is replaced", async () => {
    await expectOpen();
    const [name = ""] = await agentsWait(bed, 2);
    const times = () => logged(bed, "agent_ready").filter(({ executor }) => executor === name).length;
    const before = times();
    for (const pid of agentsOf(name)) process.kill(pid, "SIGKILL");
    await until("another waits", () => times() > before);
    expect(logged(bed, "prepared_agent_lost").map(({ executor }) => executor)).toContain(name);
  });

  it("has no credential: what it has instead is good for its own model path, in its own place", async () => {
    await expectOpen();
    await agentsWait(bed, 2);
    // Backwards, so that nothing takes secrets out of it.
    const dump = bash("(env; cat /proc/*/environ 2>/dev/null | tr '\\0' '\\n') | rev | sort -u; sleep 1");
    const first = open([dump, "Done."]);
    const seen = forwards((await first.event("tool.result")).text);
    const url = /^ANTHROPIC_BASE_URL=(.+)$/m.exec(seen)?.[1] ?? "";
    const token = /^ANTHROPIC_AUTH_TOKEN=(.+)$/m.exec(seen)?.[1] ?? "";
    expect([url, token]).toEqual([expect.stringContaining("/proxy/place_"), expect.stringMatching(/^stand-in-/)]);
    expect(seen).not.toContain(first.proxyToken);
    expect(seen).toContain(`REVEILLE_RUN_ID=${first.order.run_id}`);
    const asked = (where: string) =>
      `curl -s -o /dev/null -w '%{http_code} ' -X POST -H 'Authorization: Bearer ${token}' '${where}'`;
    const second = open([
      bash(`${asked(`${url}/v1/messages`)}; ${asked(`${url.replace("/model", "/git/0/git-upload-pack")}`)}`),
      "Done.",
    ]);
    expect((await second.event("tool.result")).text.trim()).toBe("403 403");
    expect((await second.finished()).outcome).toEqual(SUCCEEDED);
    const at = (path: string) =>
      fetch(`${bed.instance.url}${path}`, { method: "POST", headers: { authorization: `Bearer ${token}` } });
    const paths = [new URL(url).pathname, `/proxy/${first.order.run_id}/model`].map((path) => `${path}/v1/messages`);
    expect(await Promise.all(paths.map(async (path) => (await at(path)).status))).toEqual([401, 401]);
    await first.finished();
    expect(taken(bed).slice(-2)).toEqual([true, true]);
  });

  it("keeps its conversation by the session's name, and a later run goes on with it", async () => {
    await expectOpen();
    await agentsWait(bed);
    const long = bash("seq 1 20000");
    const first = open([long, "I have counted."]);
    expect((await first.finished()).outcome).toEqual(SUCCEEDED);
    expect(taken(bed).at(-1)).toBe(true);
    const name = first.order.conversation?.sdk_session_id;
    expect(new Set(entriesOf(first).flatMap(({ sessionId }) => (sessionId === undefined ? [] : [sessionId])))).toEqual(
      new Set([name]),
    );
    const next = goOn(bed, [first], "And now?", { order: { environment: OPEN } });
    expect((await next.finished()).outcome).toEqual(SUCCEEDED);
    const [call] = bed.instance.modelCalls.get(next.order.run_id) ?? [];
    expect(call?.body).toContain("I have counted.");
    // The whole output lies beside the conversation, and is there again where the conversation says.
    const path = /[^\s"\\]*\/tool-results\/[^\s"\\]*\.txt/.exec(call?.body ?? "")?.[0];
    expect(path).toContain(`/${name}/`);
    const look = goOn(bed, [first, next], "Look.", { order: { environment: OPEN } });
    expect((await look.finished()).outcome).toEqual(SUCCEEDED);
  });
});

function forkOf(repository: string): NonNullable<RunOrder["checkout"]> {
  return { repository, ref: "refs/pull/7/head", commit: "a".repeat(40), is_fork: true, trusted_ref: null };
}

function forwards(text: string): string {
  return text
    .split("\n")
    .map((line) => [...line].reverse().join(""))
    .join("\n");
}
