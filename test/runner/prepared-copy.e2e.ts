/** An agent that was started in a copy of its repository: runs of a routine that fires often have it, and are as any other. */
import { existsSync } from "node:fs";
import { basename, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { drawOwnerKey, IdMaker } from "#protocol/ids.ts";
import type { RunOrder } from "#protocol/runner-link.ts";
import { Bed, bash, noSandbox, report, type Script } from "./support/bed.ts";
import type { FakeRun } from "./support/fake-run.ts";
import { agentsOf, callsOf, logged } from "./support/prepared-agents.ts";
import { ENVIRONMENT } from "./support/run-order.ts";
import { newSession } from "./support/sessions.ts";
import { until } from "./support/until.ts";
import { commitTo, git, seedUpstream } from "./support/upstream.ts";

/** Of a routine whose environment sets nothing. */
const OPEN = { ...ENVIRONMENT, variables: {}, secret_values: [] };
const SUCCEEDED = { status: "succeeded" };
const random = (bytes: Uint8Array<ArrayBuffer>) => crypto.getRandomValues(bytes);
/** Without what differs between any two runs. */
const resultsOf = ({ order, events }: FakeRun) =>
  events.flatMap((one) =>
    one.type === "tool.result"
      ? [one.text.replaceAll(order.run_id, "run").replace(/executor-[0-9a-f]{18}|claude-\d{5}/g, "executor")]
      : [],
  );
const stepsOf = ({ events }: FakeRun) => events.flatMap((one) => (one.type === "run.step" ? [one.message] : []));

/** All that a run can see of its clone, and then some work in it. */
const LOOK = `git diff-files; git status --porcelain --branch --ignored; git rev-parse HEAD; git remote -v; git for-each-ref
git config --local --list; git log --format='%H %s'; find . -path ./.git -prune -o -printf '%p %M %l\\n' | sort; ls -A ..; ls -A .git "$HOME" "$TMPDIR"`;
const WORK = `echo more >> README.md && git commit -qam More && git push -q origin HEAD:claude/$(basename "$PWD") && git log -1 --format=%s`;

const FILES = {
  "README.md": "# App\n",
  "CLAUDE.md": "Speak like a pirate.\n",
  ".claude/skills/look/SKILL.md":
    "---\nname: look\ndescription: Looks about.\n---\nLook.\n!`env | grep REVEILLE_ | sort`\n",
  ".claude/settings.json": JSON.stringify({ permissions: { deny: ["Bash(rm -rf:*)", "mcp__reveille"] } }),
};

describe.skipIf(noSandbox !== null)("an agent in a copy of its repository", () => {
  let bed: Bed;
  let seeded = 0;
  beforeAll(async () => {
    bed = await Bed.make({ REVEILLE_PREPARED_ROUTINES: "8" });
  });
  afterAll(() => bed.close());

  /** @returns how runs of a new routine are started. */
  function routine(repository: string, changes: Partial<RunOrder> = {}) {
    const ids = new IdMaker(drawOwnerKey(random), random);
    return (script: Script, more: Partial<RunOrder> = {}) => {
      const run_id = ids.make("run", Date.now());
      return bed.run(script, [repository], { run_id, environment: OPEN, ...newSession(), ...changes, ...more });
    };
  }

  /**
   * Runs a new routine as often as it takes, with a repository of its own: the copy of that tells its spare from the one that an earlier
   * test's routine gets meanwhile. @returns it, its repository, and the executor in which an agent waits for it.
   */
  async function routineThatFiresOften() {
    seeded += 1;
    const repository = `app-${seeded}`;
    const bare = seedUpstream(bed.upstream, repository, FILES);
    const run = routine(repository);
    for (const _ of [1, 2]) expect((await run(["Done."]).finished()).outcome).toEqual(SUCCEEDED);
    const isOfThis = (executor: string) => existsSync(join(bed.state, "runs", executor, "workspace", repository));
    const ready = () => logged(bed, "agent_ready").filter(({ has_copy }) => has_copy);
    const executor = await until(
      "an agent waits in a copy",
      () => ready().find((one) => isOfThis(one.executor))?.executor,
    );
    return { run, executor, repository, bare };
  }

  /** In which executor a run's lease was worked on. */
  const executorOf = (run: FakeRun) => basename(bed.folderOf(run));
  const waited = (name: string) => logged(bed, "agent_waited").filter(({ executor }) => executor === name);

  it("asks its model as one that was started for its run, and works in what is a clone like any other", async () => {
    const { run, executor, repository, bare } = await routineThatFiresOften();
    commitTo(bare, "refs/heads/main", { "news.txt": "news\n", "README.md": "# New\n" });
    const script = [bash(LOOK), bash(WORK), report("done", "Looked."), "Done."];
    const prepared = run(script);
    expect((await prepared.finished()).outcome).toEqual(SUCCEEDED);
    expect(waited(executor)).toMatchObject([{ is_taken: true }]);
    expect(stepsOf(prepared)).toContainEqual(expect.stringContaining("was started ahead"));
    git("-C", bare, "update-ref", "-d", `refs/heads/claude/${repository}`);
    const cold = routine(repository)(script);
    expect((await cold.finished()).outcome).toEqual(SUCCEEDED);
    expect(stepsOf(cold)).not.toContainEqual(expect.stringContaining("was started ahead"));
    expect(resultsOf(prepared)).toEqual(resultsOf(cold));
    expect(resultsOf(prepared)[1]).toBe("More");
    expect(callsOf(bed, prepared)).toEqual(callsOf(bed, cold));
    expect(callsOf(bed, prepared).length).toBeGreaterThan(2);
    expect(JSON.stringify(callsOf(bed, prepared)[0])).toContain("Speak like a pirate.");
    expect(logged(bed, "prepared_agent_unfit")).toEqual([]);
    expect(logged(bed, "agent_given_up")).toEqual([]);
  });

  it("is started anew when the files have changed that it read", async () => {
    const { run, executor, repository, bare } = await routineThatFiresOften();
    commitTo(bare, "refs/heads/main", { "CLAUDE.md": "Speak like a poet.\n" });
    const next = run([bash(LOOK), "Done."]);
    expect((await next.finished()).outcome).toEqual(SUCCEEDED);
    expect(logged(bed, "agent_given_up")).toMatchObject([{ executor }]);
    expect(stepsOf(next)).toContainEqual(expect.stringContaining("is started anew"));
    const call = JSON.stringify(callsOf(bed, next)[0]);
    expect(call).toContain("Speak like a poet.");
    expect(call).not.toContain("pirate");
    const cold = routine(repository)([bash(LOOK), "Done."]);
    await cold.finished();
    expect(resultsOf(next)).toEqual(resultsOf(cold));
  });

  it("is none of another routine's, and of no run of its own that asks for something else", async () => {
    const { run, executor, repository } = await routineThatFiresOften();
    const other = routine(repository)([bash("true"), "Done."]);
    await other.event("tool.result");
    expect(executorOf(other)).not.toBe(executor);
    expect((await other.finished()).outcome).toEqual(SUCCEEDED);
    expect(waited(executor)).toEqual([]);
    const repositories = [{ url: `https://code.example.com/${repository}`, depth: 1 }];
    const changed = run([bash(LOOK), "Done."], { repositories });
    expect((await changed.finished()).outcome).toEqual(SUCCEEDED);
    expect(waited(executor)).toMatchObject([{ is_taken: false }]);
    const cold = routine(repository, { repositories })([bash(LOOK), "Done."]);
    expect((await cold.finished()).outcome).toEqual(SUCCEEDED);
    expect(resultsOf(changed)).toEqual(resultsOf(cold));
  });

  it("knows which run it has when its task is a command that runs others", async () => {
    const { run, executor, repository } = await routineThatFiresOften();
    const prepared = run([], { task: "/look" });
    expect((await prepared.finished()).outcome).toEqual(SUCCEEDED);
    expect(waited(executor)).toMatchObject([{ is_taken: true }]);
    const cold = routine(repository)([], { task: "/look" });
    expect((await cold.finished()).outcome).toEqual(SUCCEEDED);
    expect(callsOf(bed, prepared)).toEqual(callsOf(bed, cold));
    expect(JSON.stringify(callsOf(bed, cold)[0])).toContain("REVEILLE_RUN_ID=run");
  });

  it("that dies while its run clones is replaced by one that lacks nothing", async () => {
    const { run, executor } = await routineThatFiresOften();
    const next = run([bash(LOOK), "Done."]);
    next.answerGit = () => {
      for (const pid of agentsOf(executor)) process.kill(pid, "SIGKILL");
      return false;
    };
    expect((await next.finished()).outcome).toEqual(SUCCEEDED);
    expect(stepsOf(next)).toContainEqual(expect.stringContaining("another is started"));
  });
});
