/**
 * `reveille runner` as it is installed, in another folder and as another user, through a sandbox and through podman: it serves a
 * pool, and is killed, drained and replaced by a newer one while runs are on.
 */
import { chmodSync, chownSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { Bed, bash, endless, noSandbox, report } from "../runner/support/bed.ts";
import { RUNNER_TOKEN } from "../runner/support/fake-instance.ts";
import { processesWith } from "../runner/support/processes.ts";
import { type RunnerProcess, spawnProgram, whenReady } from "../runner/support/runner-process.ts";
import { until } from "../runner/support/until.ts";
import { git, seedUpstream } from "../runner/support/upstream.ts";
import { type Installed, installReveille } from "./support/installed.ts";
import { containersLike, imageWithoutRunner, noPodman, podmanImage } from "./support/podman.ts";

/** A user without an account; only root can become one. */
const USER = 61_734;
const isRoot = process.getuid?.() === 0;

interface Way {
  name: string;
  why: string | null;
  /** As whom the runner works; this process's user where it can't be another's. */
  uid: number | undefined;
  options(): Promise<string[]>;
}

const ways: Way[] = [
  { name: "a sandbox", why: noSandbox, uid: isRoot ? USER : undefined, options: async () => [] },
  {
    name: "podman",
    why: noPodman,
    uid: undefined,
    options: async () => ["--engine", "podman", "--image", await podmanImage()],
  },
];

let installed: Installed;
let newer: Installed;
beforeAll(async () => {
  installed = await installReveille();
  newer = await installReveille("99.0.0");
});
afterAll(() => {
  installed.remove();
  newer.remove();
});

/** What this machine's podman is told by its environment. */
function enginesOwn(): Record<string, string> {
  return Object.fromEntries(
    Object.entries(process.env).flatMap(([name, value = ""]) =>
      name.startsWith("CONTAINERS_") ? [[name, value]] : [],
    ),
  );
}

describe.each(ways)("through $name", ({ why, uid, options }) => {
  let bed: Bed;
  const others: RunnerProcess[] = [];
  beforeEach(async () => {
    if (why !== null) return;
    const words = await options();
    bed = await Bed.make(
      {},
      { ...(uid === undefined ? {} : { uid }), start: (variables) => start(installed, variables, words) },
    );
  });
  afterEach(async () => {
    for (const runner of others.splice(0)) await runner.stop();
    if (why === null) await bed.close();
  });

  /** Starts a runner in a folder that is nobody's, with its token in a file. */
  function start({ program }: Installed, variables: Record<string, string>, words: string[]): Promise<RunnerProcess> {
    const { REVEILLE_URL = "", REVEILLE_STATE = "", REVEILLE_CAPACITY = "" } = variables;
    const given = ["--url", REVEILLE_URL, "--state", REVEILLE_STATE, "--capacity", REVEILLE_CAPACITY];
    const file = join(REVEILLE_STATE, "..", "token");
    writeFileSync(file, RUNNER_TOKEN);
    chmodSync(file, 0o644);
    const command = [process.execPath, program, "runner", ...given, "--token-file", file, ...words] as const;
    const environment = { HOME: "/nonexistent", ...enginesOwn() };
    const place = { cwd: tmpdir(), ...(uid === undefined ? {} : { uid }) };
    return whenReady(spawnProgram([...command], environment, place), "Serving ");
  }

  /** A run whose agent waits for its model until it is let go. */
  async function heldRun() {
    const gate = Promise.withResolvers<void>();
    const held = { ...bash("true"), beforeDelta: () => gate.promise };
    const run = bed.run([bash("true"), held, report("done", "It went on.")]);
    await run.event("tool.result");
    return { run, letGo: () => gate.resolve() };
  }

  async function busyRun() {
    const name = `busy-${crypto.randomUUID()}`;
    const run = bed.run([bash(endless(name))]);
    await until("the command runs", () => processesWith(name).length > 0);
    return { run, name };
  }

  it.skipIf(why !== null)("serves a pool under an id of its own, from a clone to a push", async () => {
    const app = seedUpstream(bed.upstream, "app", { "README.md": "# App\n" });
    const push =
      "git checkout -q -b claude/news && git commit -q --allow-empty -m News && git push -q origin claude/news";
    const run = bed.run([bash(push), report("done", "Pushed.")], ["app"]);
    const { outcome, seen } = await run.finished();
    expect({ outcome, seen }).toMatchObject({ outcome: { status: "succeeded" }, seen: { tool_calls: 2 } });
    expect(git("-C", app, "log", "--format=%s", "-1", "claude/news")).toBe("News");
    const register = bed.instance.heard.find((message) => message.type === "register");
    const id = register?.type === "register" ? register.runner.id : "";
    expect(readFileSync(join(bed.state, "runner-id"), "utf8")).toBe(`${id}\n`);
    run.end();
    await until("the lease has ended", () => bed.instance.hasEnded(run.lease));
    expect(await containersLike(bed.state)).toEqual([]);
    await bed.runner.stop();
    await bed.restartRunner();
    const again = bed.instance.heard.findLast((message) => message.type === "register");
    expect(again).toMatchObject({ runner: { id } });
  });

  it.skipIf(why !== null)("that is killed leaves nothing, and its successor serves", async () => {
    const { name } = await busyRun();
    bed.runner.signal("SIGKILL");
    await bed.runner.exit;
    await bed.restartRunner();
    await until("everything is gone", () => processesWith(name).length === 0);
    await until("no container is left", async () => (await containersLike(bed.state)).length === 0);
    expect((await bed.run([report("done", "It works.")]).finished()).outcome).toEqual({ status: "succeeded" });
  });

  it.skipIf(why !== null)("that is told to end takes no more, and lets its run come to its end", async () => {
    const { run, letGo } = await heldRun();
    bed.runner.signal("SIGTERM");
    await until("it says so", () => bed.instance.heard.some(({ type }) => type === "draining"));
    const late = bed.run([report("done", "Never.")]);
    await until("it declines", () => bed.instance.heard.some(({ type }) => type === "decline"));
    letGo();
    expect(await run.finished()).toMatchObject({
      outcome: { status: "succeeded" },
      report: { summary: "It went on." },
    });
    run.end();
    expect(await bed.runner.exit).toBe(0);
    expect(late.stored).toEqual([]);
    expect(bed.instance.hasEnded(run.lease)).toBe(true);
  });

  it.skipIf(why !== null)("ends a run by force, and says so when nothing of it is left", async () => {
    const { run, name } = await busyRun();
    bed.instance.say({ type: "kill", lease: run.lease });
    await until("the lease has ended", () => bed.instance.hasEnded(run.lease));
    expect(processesWith(name)).toEqual([]);
    expect(await containersLike(bed.state)).toEqual([]);
  });

  it.skipIf(why !== null)("that is told twice stops its run, and says how it ended", async () => {
    const { run, name } = await busyRun();
    bed.runner.signal("SIGTERM");
    await until("it has heard", () => bed.runner.output().includes("It takes no more runs."));
    bed.runner.signal("SIGTERM");
    expect(await bed.runner.exit).toBe(130);
    expect(run.ending?.outcome).toMatchObject({ status: "failed", error: { code: "runner_lost" } });
    expect(processesWith(name)).toEqual([]);
    expect(await containersLike(bed.state)).toEqual([]);
  });

  it.skipIf(why !== null)(
    "is upgraded while a run is on: the old one ends with it, and the new one takes what comes",
    async () => {
      const { run, letGo } = await heldRun();
      const state = join(bed.folder, "newer");
      mkdirSync(state);
      if (uid !== undefined) chownSync(state, uid, uid);
      const variables = { REVEILLE_URL: bed.instance.url, REVEILLE_STATE: state, REVEILLE_CAPACITY: "2" };
      others.push(await start(newer, variables, [...(await options())]));
      bed.runner.signal("SIGTERM");
      const versions = bed.instance.heard.flatMap((message) => (message.type === "register" ? [message.version] : []));
      expect(versions.at(-1)).toBe("99.0.0");
      const next = bed.run([report("done", "By the new one.")]);
      expect((await next.finished()).report).toEqual({ result: "done", summary: "By the new one." });
      expect(run.ending).toBeNull();
      letGo();
      expect((await run.finished()).outcome).toEqual({ status: "succeeded" });
      run.end();
      expect(await bed.runner.exit).toBe(0);
      expect(existsSync(join(state, "runner-id"))).toBe(true);
    },
  );
});

it("goes on when nobody reads its log any more", async () => {
  const state = mkdtempSync(join(tmpdir(), "reveille-state-"));
  const given = ["--url", "http://127.0.0.1:9", "--token", RUNNER_TOKEN, "--state", state, "--json"];
  // Its first line is read: that the instance can't be reached.
  const script = `("$@"; echo "It ended with $?." >&2) | head -n 1`;
  const shell = spawnProgram(
    ["/bin/bash", "-c", script, "bash", process.execPath, installed.program, "runner", ...given],
    {
      REVEILLE_SPARES: "0",
    },
  );
  await until("its first line", () => shell.output().includes("pool_link_down"));
  // It says that it is told to end, to nobody.
  process.kill(JSON.parse(readFileSync(join(state, "runner.json"), "utf8")).pid, "SIGTERM");
  await shell.closed;
  expect(shell.output()).toContain("It ended with 0.");
  rmSync(state, { recursive: true });
});

/** Why a runner does not begin to serve with an engine. */
async function refusal(engine: string, image: string, environment: Record<string, string> = {}, folder = "state") {
  const base = mkdtempSync(join(tmpdir(), "reveille-refused-"));
  const given = ["--url", "http://127.0.0.1:9", "--token", RUNNER_TOKEN, "--state", join(base, folder)];
  const words = ["runner", ...given, "--engine", engine, "--image", image];
  const runner = spawnProgram([process.execPath, installed.program, ...words], { ...enginesOwn(), ...environment });
  expect(await runner.closed).toBe(1);
  rmSync(base, { recursive: true });
  return runner.output();
}

it("says at once that an engine's program is not there", async () => {
  const words = /^--engine \(REVEILLE_ENGINE\): docker is not on the path/;
  expect(await refusal("docker", "x", { PATH: "/nonexistent" })).toMatch(words);
});

it.skipIf(noPodman !== null)("says at once why podman can't start runs", async () => {
  const image = await podmanImage();
  const missing = await refusal("podman", "localhost/no-such-image:1");
  expect(missing).toMatch(/^--image \(REVEILLE_IMAGE\): podman has no image/);
  // A container has the folder with its socket from the engine, which takes no such name.
  expect(await refusal("podman", image, {}, "a:b")).toMatch(
    /^--engine \(REVEILLE_ENGINE\): podman can't start .* option/,
  );
  const other = imageWithoutRunner(image);
  const words = /^--image \(REVEILLE_IMAGE\): a container of .* did not find its way to this runner/;
  expect(await refusal("podman", other.name)).toMatch(words);
  other.remove();
});
