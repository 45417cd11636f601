/** Keeping a program running: real processes that die, hang, or never become ready. */
import { afterEach, describe, expect, test } from "vitest";
import { startProgram } from "#scripts/child-process.ts";
import { type SupervisedProgram, type Supervision, supervise } from "#scripts/instance/supervise.ts";
import { type HealthMark, isGone, nextHealth, restartPauseMs } from "#scripts/instance/supervision-rules.ts";
import { until } from "./support/until.ts";

let supervision: Supervision | undefined;
afterEach(async () => {
  await supervision?.stop(1_000);
  supervision = undefined;
});

const WAITS =
  'process.stdout.write("up " + process.pid + "\\n"); setInterval(() => {}, 1000); process.stdin.on("close", () => process.exit(0)).resume();';
const IGNORES_SIGTERM = `process.on("SIGTERM", () => {}); ${WAITS}`;

/** A program of one line of JavaScript; it is ready when it has said `up <pid>`. */
function scripted(code: string, more: Partial<SupervisedProgram> = {}) {
  const pids: number[] = [];
  const said: string[] = [];
  let starts = 0;
  const program: SupervisedProgram = {
    name: "program",
    stopGraceMs: 500,
    startDeadlineMs: 10_000,
    say: (line) => said.push(line),
    start: () => {
      starts += 1;
      return startProgram(process.execPath, ["-e", code], {
        cwd: "/",
        env: {},
        onLine: (line) => {
          const [, pid] = /^up (\d+)$/.exec(line) ?? [];
          if (pid !== undefined) pids.push(Number(pid));
        },
      });
    },
    ready: async () => await until("readiness", 10_000, () => pids.length >= starts),
    ...more,
  };
  return { program, pids, said };
}

async function run(program: SupervisedProgram): Promise<void> {
  const started = await supervise(program, new AbortController().signal);
  if (!started.ok) throw new Error(started.message);
  supervision = started.value;
}

function isAlive(pid: number | undefined): boolean {
  try {
    return pid !== undefined && process.kill(pid, 0);
  } catch {
    return false;
  }
}

describe("a program that is up", () => {
  test("is started again when it is killed, and again", async () => {
    const { program, pids, said } = scripted(WAITS);
    await run(program);
    for (const count of [2, 3]) {
      process.kill(pids.at(-1) ?? 0, "SIGKILL");
      await until("a new process", 10_000, () => pids.length === count);
      await until("the news", 5_000, () => said.length === 2 * (count - 1));
    }
    expect(said.slice(0, 2)).toEqual(["The program has ended (SIGKILL); starting it again.", "The program is back."]);
    await supervision?.stop(1_000);
    expect(pids.map(isAlive)).toEqual([false, false, false]);
  });

  test("is killed and started again when it no longer answers", async () => {
    let mark: HealthMark = "answers";
    const { program, pids, said } = scripted(WAITS, { look: async () => mark });
    await run(program);
    mark = "refuses";
    await until("a new process", 10_000, () => pids.length === 2);
    mark = "answers";
    expect(said[0]).toBe("The program does not answer; starting it again.");
    expect(isAlive(pids[0])).toBe(false);
  });

  test("what it started in its group goes with it", async () => {
    const child =
      'process.stdout.write("up " + require("child_process").spawn("sleep", ["60"]).pid + "\\n"); setInterval(() => {}, 1000)';
    const { program, pids } = scripted(child);
    await run(program);
    await supervision?.stop(1_000);
    await until("its end", 2_000, () => !isAlive(pids[0]));
  });

  test("one that ignores SIGTERM is killed after the grace, and stopping twice is no different", async () => {
    const { program, pids } = scripted(IGNORES_SIGTERM);
    await run(program);
    await Promise.all([supervision?.stop(60_000), supervision?.stop(200)]);
    expect(isAlive(pids[0])).toBe(false);
  });
});

describe("a program that does not come up", () => {
  test("because it ends", async () => {
    const { program } = scripted("process.exit(3)");
    expect(await supervise(program, new AbortController().signal)).toEqual({
      ok: false,
      message: "The program did not start.",
    });
  });

  test("because it is not there", async () => {
    const { program } = scripted("", {
      start: () => startProgram("/nowhere", [], { cwd: "/", env: {}, onLine: () => undefined }),
      ready: () => new Promise(() => undefined),
    });
    expect(await supervise(program, new AbortController().signal)).toMatchObject({ ok: false });
  });

  test("in time", async () => {
    const { program, pids } = scripted(WAITS, { startDeadlineMs: 300, ready: () => new Promise(() => undefined) });
    expect(await supervise(program, new AbortController().signal)).toMatchObject({ ok: false });
    expect(pids.map(isAlive)).not.toContain(true);
  });

  test("because the start is given up", async () => {
    const { program, pids } = scripted(WAITS, { ready: () => new Promise(() => undefined) });
    const giveUp = new AbortController();
    const starting = supervise(program, giveUp.signal);
    await until("a process", 10_000, () => pids.length === 1);
    giveUp.abort();
    expect(await starting).toMatchObject({ ok: false });
    expect(isAlive(pids[0])).toBe(false);
  });
});

describe("rules", () => {
  const looks: [string, [HealthMark, number][], boolean][] = [
    [
      "an answer",
      [
        ["answers", 0],
        ["answers", 60_000],
      ],
      false,
    ],
    ["one refusal", [["refuses", 0]], false],
    [
      "refusals for a second",
      [
        ["refuses", 0],
        ["refuses", 1_000],
      ],
      false,
    ],
    [
      "refusals for longer",
      [
        ["refuses", 0],
        ["refuses", 1_200],
      ],
      true,
    ],
    [
      "refusals with an answer between",
      [
        ["refuses", 0],
        ["answers", 900],
        ["refuses", 1_300],
      ],
      false,
    ],
    [
      "silence of a busy program",
      [
        ["silent", 0],
        ["silent", 6_000],
      ],
      false,
    ],
    [
      "silence that lasts",
      [
        ["silent", 0],
        ["silent", 8_000],
      ],
      true,
    ],
    [
      "silence after refusals",
      [
        ["refuses", 0],
        ["silent", 1_500],
      ],
      false,
    ],
  ];
  test.each(looks)("%s", (_what, marks, gone) => {
    const last = marks.at(-1)?.[1] ?? 0;
    const health = marks.reduce((known, [mark, at]) => nextHealth(known, mark, at), nextHealth(null, "answers", -1));
    expect(isGone(health, last)).toBe(gone);
  });

  test("the first deaths cost no time, a series slows down to a bound", () => {
    expect([0, 1, 2, 3, 5, 20].map(restartPauseMs)).toEqual([0, 0, 0, 250, 1_000, 5_000]);
  });
});
