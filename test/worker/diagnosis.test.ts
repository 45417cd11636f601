/** What an instance finds when it looks itself over: each planted fault by name, with what to do. */
import { createExecutionContext, createMessageBatch, getQueueResult } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import { readConfig } from "#instance/config.ts";
import { diagnosisSchema, type Finding } from "#protocol/diagnosis.ts";
import type { PoolStatus } from "#protocol/pool.ts";
import type { ListedRun } from "#protocol/run.ts";
import { type RunErrorCode, runError } from "#protocol/run-errors.ts";
import { probedQueues } from "#worker/bindings.ts";
import { addressFindings } from "#worker/diagnosis/address-check.ts";
import { containerCheck, containerFinding } from "#worker/diagnosis/container-check.ts";
import { diagnose } from "#worker/diagnosis/diagnose.ts";
import { askModel, modelFinding } from "#worker/diagnosis/model-key.ts";
import { platformChecks } from "#worker/diagnosis/platform-checks.ts";
import { poolCheck, poolFindings } from "#worker/diagnosis/pool-checks.ts";
import { secretFindings } from "#worker/diagnosis/secret-checks.ts";
import worker from "#worker/index.ts";
import { askedDatabase } from "#worker/parties/database.ts";
import { type Heartbeats, heartbeats } from "#worker/store/heartbeats.ts";
import { pools } from "#worker/store/pools.ts";
import { ask, errorOf } from "./support.ts";

const NOW_MS = Date.parse("2026-11-25T10:00:00.000Z");
const MINUTE_MS = 60_000;

afterEach(async () => {
  await env.DB.batch([
    env.DB.prepare("DELETE FROM d1_migrations WHERE name LIKE '9999%'"),
    env.DB.prepare("DELETE FROM heartbeats"),
  ]);
});

/** A platform on which all is well, but for what is put in its place. Pauses move its clock. */
function lookedOver(faults: Partial<Parameters<typeof platformChecks>[0]> = {}): Promise<Finding[]> {
  let nowMs = NOW_MS;
  const beats: Heartbeats = { note: async () => {}, last: async () => nowMs };
  return diagnose(
    platformChecks({
      database: env.DB,
      bucket: env.BODIES,
      heartbeats: beats,
      sendProbe: async () => {},
      pause: async (ms) => {
        nowMs += ms;
      },
      now: () => nowMs,
      ...faults,
    }),
  );
}

const troubles = (findings: readonly Finding[]) =>
  findings.filter(({ status }) => status !== "ok").map(({ check, status, message }) => [check, status, message]);

describe("the platform's parts", () => {
  it("are well", async () => {
    const findings = await lookedOver();
    expect(findings.map(({ check, status }) => [check, status])).toEqual([
      ["schema", "ok"],
      ["BODIES", "ok"],
      ["sweep", "ok"],
      ["queue", "ok"],
      ["usage_queue", "ok"],
    ]);
  });

  it("tell of a newer schema", async () => {
    await env.DB.prepare("INSERT INTO d1_migrations (name) VALUES ('9999_newer.sql')").run();
    expect(troubles(await lookedOver())).toEqual([
      ["schema", "warning", expect.stringContaining("9999_newer is applied")],
    ]);
  });

  it("tell of a bucket that fails, and of nothing else", async () => {
    const bucket = { head: async () => Promise.reject(new Error("no such bucket")) };
    expect(troubles(await lookedOver({ bucket }))).toEqual([["BODIES", "fault", "It failed: Error: no such bucket."]]);
  });

  it.each([
    ["never", null, "never been called"],
    ["long ago", NOW_MS - 10 * MINUTE_MS, "was last called 10 minutes ago"],
  ])("tell of a sweep that was called %s", async (_when, at, words) => {
    const beats: Heartbeats = { note: async () => {}, last: async (name) => (name === "sweep" ? at : NOW_MS) };
    expect(troubles(await lookedOver({ heartbeats: beats }))).toEqual([
      ["sweep", "fault", expect.stringContaining(words)],
    ]);
  });

  it.each(probedQueues)("tell of a queue whose messages nobody takes: %s", async (queue) => {
    const beats: Heartbeats = { note: async () => {}, last: async (name) => (name === queue ? NOW_MS - 1 : NOW_MS) };
    const found = troubles(await lookedOver({ heartbeats: beats }));
    expect(found).toEqual([[queue, "fault", expect.stringContaining("hands none on")]]);
  });

  it("tell of one that hangs, and of the others", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout"] });
    const sendProbe = (queue: string) => (queue === "queue" ? new Promise<void>(() => {}) : Promise.resolve());
    const found = lookedOver({ sendProbe });
    await vi.advanceTimersByTimeAsync(12_000);
    vi.useRealTimers();
    expect(troubles(await found)).toEqual([["queue", "fault", "It does not answer."]]);
  });
});

describe("signs of life", () => {
  it("are written down by the queue's consumer and by the sweep", async () => {
    const beats = heartbeats(env.DB);
    expect([await beats.last("queue"), await beats.last("sweep")]).toEqual([null, null]);
    const context = createExecutionContext();
    const messages = ["queue", "usage_queue"].map((probe) => {
      return { id: probe, timestamp: new Date(NOW_MS), attempts: 1, body: { probe } };
    });
    const batch = createMessageBatch("reveille-clock", messages);
    await worker.queue(batch, env);
    expect((await getQueueResult(batch, context)).retryMessages).toEqual([]);
    await worker.scheduled({ scheduledTime: 0, cron: "* * * * *", noRetry() {} }, env);
    const seen = await Promise.all((["queue", "usage_queue", "sweep"] as const).map((name) => beats.last(name)));
    expect(seen).toEqual([expect.any(Number), expect.any(Number), expect.any(Number)]);
  });

  it("that come late move nothing back", async () => {
    const beats = heartbeats(env.DB);
    await beats.note("sweep", NOW_MS);
    await beats.note("sweep", NOW_MS - 1);
    expect(await beats.last("sweep")).toBe(NOW_MS);
  });
});

describe("secrets", () => {
  const findingsWith = (changes: object) => {
    const check = readConfig({ ...env, LOCAL_INSTANCE: "", PUBLIC_URL: "https://r.test", ...changes });
    if (!check.ok) throw new Error(JSON.stringify(check.issues));
    return secretFindings(check.config).map(({ check: name, status }) => [name, status]);
  };

  it.each<[object, string[][]]>([
    [{}, [["secrets", "ok"]]],
    [{ RUNNER_TOKEN: env.OWNER_TOKEN }, [["RUNNER_TOKEN", "fault"]]],
    [{ SIGNING_KEY: env.OWNER_TOKEN }, [["SIGNING_KEY", "fault"]]],
    [{ OWNER_TOKEN_PREVIOUS: env.RUNNER_TOKEN }, [["RUNNER_TOKEN", "fault"]]],
    [{ RUNNER_TOKEN_PREVIOUS: env.OWNER_TOKEN }, [["RUNNER_TOKEN_PREVIOUS", "fault"]]],
    [{ GITHUB_WEBHOOK_SECRET: env.OWNER_TOKEN }, [["GITHUB_WEBHOOK_SECRET", "fault"]]],
    [{ OWNER_TOKEN_PREVIOUS: env.OWNER_TOKEN }, [["secrets", "ok"]]],
  ])("with %o", (changes, expected) => {
    expect(findingsWith(changes)).toEqual(expected);
  });
});

it.each([
  ["OWNER_TOKEN", undefined],
  ["SIGNING_KEY", ""],
  ["RUNNER_TOKEN", "short"],
  ["OWNER_TOKEN", `${env.OWNER_TOKEN}\n`],
  ["RUNNER_TOKEN", `Bearer ${env.RUNNER_TOKEN}`],
  ["RUNNER_TOKEN", `${env.RUNNER_TOKEN}\u200b`],
  ["OWNER_TOKEN_PREVIOUS", "short"],
  ["GIT_CREDENTIALS", "user:password"],
  ["GIT_CREDENTIALS", '{"github.com":"user:password"}'],
  ["GITHUB_WEBHOOK_SECRET", "short"],
])("readiness names %s as %j, and tells nothing of it", (name, value) => {
  const check = readConfig({ ...env, [name]: value });
  const issues = check.ok ? [] : check.issues;
  expect(issues.map(({ field }) => field.split(".")[0])).toEqual([name]);
  if (value) expect(JSON.stringify(issues)).not.toContain(value);
});

it.each<[string | null, boolean, string, string[]]>([
  [null, false, "https://r.test", ["warning"]],
  [null, true, "http://localhost:8787", []],
  ["https://r.test", false, "https://r.test", []],
  ["https://r.test/", false, "https://r.test", []],
  ["https://r.test", false, "https://r.workers.test", ["unknown"]],
  ["https://r.test", false, "http://r.test", ["unknown"]],
  ["https://r.test", false, "https://r.test:8443", ["unknown"]],
  ["http://localhost:8787", true, "http://127.0.0.1:8787", []],
  ["http://localhost:8787", true, "https://tunnel.test", ["unknown"]],
])("PUBLIC_URL %s, local: %s, asked at %s leaves %j to be looked at", (publicUrl, isLocal, origin, statuses) => {
  const found = addressFindings({ publicUrl, isLocal }, origin);
  expect(found.map(({ check, status }) => [check, status])).toEqual(statuses.map((status) => ["PUBLIC_URL", status]));
});

describe("pools", () => {
  const status = { capacity: 0, busy: 0, runners: [], waiting: 0, waiting_since: null, why: null, warm: null };
  const seen = { version: "0.1.0", capacity: 4, busy: 0, last_seen_at: "2026-11-25T10:00:00.000Z", reason: null };
  const idle = { ...seen, id: "a", state: "idle" } as const;
  const refused = { ...seen, id: "old", state: "refused", reason: "runner too old" } as const;
  const draining = { ...seen, id: "b", state: "draining" } as const;

  it.each<[string, Partial<PoolStatus>, [string, RegExp][]]>([
    ["default", {}, [["fault", /^There is no runner in the default pool\.$/]]],
    ["gpu", {}, [["warning", /no runner in the pool "gpu"\.$/]]],
    ["gpu", { waiting: 1 }, [["fault", /\. 1 run waits\.$/]]],
    ["gpu", { waiting: 2, runners: [draining] }, [["fault", /are draining\. 2 runs wait\.$/]]],
    ["default", { capacity: 4, runners: [idle] }, [["ok", /room for 4 runs: 0 are on, and 0 wait/]]],
    ["default", { capacity: 3, busy: 3, waiting: 7 }, [["ok", /room for 3 runs: 3 are on, and 7 wait/]]],
    [
      "default",
      { runners: [refused] },
      [
        ["fault", /is served: runner too old\.$/],
        ["warning", /^old was refused: runner too old\.$/],
      ],
    ],
    [
      "gpu",
      { capacity: 4, runners: [idle, refused] },
      [
        ["ok", /room for 4/],
        ["warning", /^old was refused/],
      ],
    ],
  ])("%s with %o", (name, differs, expected) => {
    const found = poolFindings(name, { ...status, ...differs });
    const wanted = expected.map(([level, message]) => ({
      check: `pool:${name}`,
      status: level,
      message: expect.stringMatching(message),
    }));
    expect(found).toMatchObject(wanted);
    expect(found).toHaveLength(wanted.length);
  });

  it("of which one hangs and one fails are told of all the same", async () => {
    vi.useFakeTimers();
    const looks: Record<string, () => Promise<PoolStatus>> = {
      default: async () => status,
      gpu: () => new Promise(() => {}),
      old: () => Promise.reject(new Error("storage_not_migrated")),
    };
    const pool = (name: string) => ({ look: looks[name] ?? (async () => status) });
    const named = { names: async () => ["gpu", "old"], missing: async () => [] };
    const looked = diagnose([poolCheck({ pools: named, pool })]);
    await vi.advanceTimersByTimeAsync(6_000);
    vi.useRealTimers();
    expect((await looked).map(({ check, message }) => [check, message])).toEqual([
      ["pool:default", "There is no runner in the default pool."],
      ["pool:gpu", "It does not answer, so its runs wait."],
      ["pool:old", "It failed (Error: storage_not_migrated), so its runs wait."],
    ]);
  });

  it("that routines name and that are not there are told of, and no others", async () => {
    const routine = "INSERT INTO routines (id, doc, version, pool) VALUES (?, '{}', 1, ?)";
    const pool =
      "INSERT INTO pools (name, created_at, created_by, token_at, token_by, deleted_at) VALUES (?, 1, '{}', 1, '{}', ?)";
    const write = (statement: string, ...values: unknown[]) => env.DB.prepare(statement).bind(...values);
    await env.DB.batch([
      ...["default", "there", "never", "deleted", "never"].map((name, number) => write(routine, `r-${number}`, name)),
      write(pool, "there", null),
      write(pool, "deleted", 1),
    ]);
    const found = await diagnose([
      poolCheck({
        pools: pools(askedDatabase(env.DB)),
        pool: () => ({ look: async () => ({ ...status, capacity: 1 }) }),
      }),
    ]);
    await env.DB.batch([write("DELETE FROM routines WHERE id LIKE 'r-%'"), write("DELETE FROM pools")]);
    expect(troubles(found).sort()).toEqual([
      ["pool:deleted", "fault", expect.stringContaining("There is no such pool, and the routine r-3 names it")],
      ["pool:never", "fault", expect.stringContaining("There is no such pool, and the routine r-2 names it")],
    ]);
  });
});

describe("the model's key", () => {
  const upstream = { kind: "anthropic", baseUrl: "https://api.test", apiKey: "key-of-the-test" } as const;
  const answering = (counted: number, listed: number) => async (url: string) =>
    new Response("", { status: url.endsWith("count_tokens") ? counted : listed });

  it.each([
    [200, 200, "ok"],
    [401, 401, "fault"],
    [403, 200, "ok"],
    [404, 200, "warning"],
    [529, 200, "warning"],
  ])("is judged by %i and %i", async (counted, listed, status) => {
    const found = await askModel(upstream, "claude-x", answering(counted, listed));
    expect(found).toMatchObject({ check: "ANTHROPIC_API_KEY", status });
    expect(JSON.stringify(found)).not.toContain(upstream.apiKey);
  });

  it("is not judged where nobody answers", async () => {
    const found = await askModel(upstream, "claude-x", async () => Promise.reject(new TypeError("refused")));
    expect(found).toMatchObject({ status: "warning", message: expect.stringContaining("can't be reached") });
  });

  it.each([
    ["key of the test", "fault"],
    ["key\u200b", "fault"],
    ["“key”", "fault"],
    ["key\nkey", "fault"],
    ["key\n", "ok"],
  ])("of the form %j is a %s, whatever the API would say", async (apiKey, status) => {
    expect(await askModel({ ...upstream, apiKey }, "claude-x", answering(200, 200))).toMatchObject({ status });
  });

  it("is missing, or the demo's", () => {
    expect(modelFinding({ kind: "none" }).status).toBe("fault");
    expect(modelFinding({ kind: "demo", baseUrl: "http://demo.test" }).status).toBe("ok");
    expect(modelFinding(upstream)).toMatchObject({ status: "unknown", hint: expect.stringContaining("--model") });
  });
});

describe("containers", () => {
  const ran = (kind: string | null, error: RunErrorCode | null) =>
    ({
      id: "run_1",
      runner: kind === null ? null : { kind, id: "x" },
      error: error === null ? null : runError(error, "provisioning"),
    }) as ListedRun;
  const [well, missing, started] = [ran("container", null), ran(null, "container_image_missing"), ran(null, null)];

  it.each<[string, ListedRun[], string, RegExp]>([
    ["no run was there", [], "unknown", /not known/],
    ["runners alone worked", [ran("local", null), started], "unknown", /not known/],
    ["the last run had one", [started, well, missing], "ok", /run_1/],
    ["the last run had one and failed in it", [ran("container", "clone_failed")], "ok", /run_1/],
    ["the image is missing", [started, missing, well], "fault", /The image of the runner is not there\.$/],
    ["none started", [ran("container", "container_start_failed")], "fault", /did not start/],
    ["nobody answers", [ran(null, "containers_unavailable"), well], "fault", /could be asked for/],
    ["it gives the agent rights", [ran("container", "agent_privileged")], "fault", /rights/],
  ])("are told of where %s", (_what, newest, status, words) => {
    const found = containerFinding(newest);
    expect(found).toMatchObject({ check: "containers", status, message: expect.stringMatching(words) });
    if (status === "fault") expect(found.hint).toMatch(/\w/);
  });

  it("are looked at where the instance has some", async () => {
    const index = { listRuns: async () => ({ data: [missing], next_cursor: null }) };
    const look = (containers: number) => diagnose([containerCheck({ config: { containers }, index })]);
    expect([(await look(0)).length, (await look(1)).length]).toEqual([0, 1]);
  });
});

describe("asked over HTTP", () => {
  it("answers the owner, and nobody else", async () => {
    const denied = await errorOf(await ask("/api/v1/instance/diagnosis", { method: "POST", token: null }));
    expect(denied.status).toBe(401);
    for (const queue of probedQueues) await heartbeats(env.DB).note(queue, Date.now() + MINUTE_MS);
    const answer = await ask("/api/v1/instance/diagnosis", { method: "POST" });
    const diagnosis = diagnosisSchema.parse(await answer.json());
    expect(diagnosis).toMatchObject({ is_local: true, public_url: null });
    expect(diagnosis.findings.map(({ check }) => check)).toEqual([
      "schema",
      "BODIES",
      "sweep",
      "queue",
      "usage_queue",
      "secrets",
      "KEEP_DAYS",
      "ANTHROPIC_API_KEY",
      "pool:default",
    ]);
  });
});
