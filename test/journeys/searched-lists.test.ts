/** Lists that are searched, and figures: of what has really happened, and of more rows than one page looks at. */
import { env } from "cloudflare:workers";
import { describe, expect, it, vi } from "vitest";
import type { Page } from "#protocol/api.ts";
import type { Delivery } from "#protocol/delivery.ts";
import type { ListedRoutine } from "#protocol/routine.ts";
import type { ListedRun } from "#protocol/run.ts";
import type { Stats } from "#protocol/stats.ts";
import { buildRoutine, call, fired } from "#test/support/api.ts";
import { FakeRunner, RUNNING } from "#test/support/fake-runner.ts";

async function idsOf(path: string): Promise<string[]> {
  const { status, body } = await call<Page<{ id: string }>>("GET", path);
  expect(status, JSON.stringify(body)).toBe(200);
  return body.data.map(({ id }) => id);
}

async function endedRun(name: string, tags: Record<string, string>) {
  const routine = await buildRoutine({ name, tags });
  using runner = await FakeRunner.join();
  const { run_id: runId } = await fired(routine);
  const work = await runner.work(await runner.accept());
  await work.report(RUNNING);
  await work.finish();
  await vi.waitFor(async () =>
    expect(await idsOf(`/api/v1/runs?routine=${routine.id}&status=succeeded`)).toEqual([runId]),
  );
  return { routine, runId };
}

describe("runs", () => {
  it("are found by what they are and what is said of them", async () => {
    const { routine, runId } = await endedRun("Weekly orchard report", { team: "fruit", env: "prod" });
    const other = await buildRoutine({ name: "Another" });
    const { run_id: otherId } = await fired(other);
    await vi.waitFor(async () => expect(await idsOf(`/api/v1/runs?routine=${other.id}`)).toEqual([otherId]));
    const found = [
      "status=succeeded,failed",
      "status=succeeded&result=done",
      "result=done,blocked",
      "search=ORCHARD",
      "tag=team",
      "tag=team:fruit",
      "trigger=api&search=orchard",
      `routine=${routine.id}&status=succeeded,canceled`,
      "status=succeeded&from=2020-01-01T00:00:00Z",
    ];
    for (const query of found) expect(await idsOf(`/api/v1/runs?${query}`), query).toContain(runId);
    for (const query of found) expect(await idsOf(`/api/v1/runs?${query}`), query).not.toContain(otherId);
    const empty = ["search=vineyard", "tag=team:docs", "trigger=schedule", "to=2020-01-01T00:00:00Z", "result=blocked"];
    for (const query of empty) expect(await idsOf(`/api/v1/runs?${query}`), query).toEqual([]);
    await call("POST", `/api/v1/runs/${otherId}/cancel`);
  });

  it.each([
    ["status=done", "status", "must be one of queued"],
    ["result=fine", "result", "must be one of done"],
    ["trigger=cron", "trigger", "must be one of"],
    ["from=yesterday", "from", "RFC 3339"],
    ["tag=%20", "tag", "must be a tag"],
  ])("are not looked for by %s", async (query, field, remedy) => {
    const { status, body } = await call<{ error: { message: string } }>("GET", `/api/v1/runs?${query}`);
    expect([status, body.error.message]).toEqual([400, expect.stringContaining(remedy)]);
    expect(body.error.message).toMatch(new RegExp(`^${field}`));
  });

  it("that are rare are found page by page, each of which looks at so many", async () => {
    const count = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2500)";
    await env.DB.prepare(
      `${count} INSERT INTO runs (id, routine_id, status, trigger_type, doc, version)
        SELECT printf('run_z%05d', i), 'x', 'failed', 'api', '{}', 1 FROM n`,
    ).run();
    const { runId } = await endedRun("Rarely found", {});
    const pages: string[][] = [];
    let cursor: string | null = "";
    while (cursor !== null) {
      const from: string = cursor === "" ? "" : `&cursor=${cursor}`;
      const { body } = await call<Page<ListedRun>>("GET", `/api/v1/runs?search=rarely${from}`);
      pages.push(body.data.map(({ id }) => id));
      // The strangers' ids have another form than a cursor of ours.
      cursor = body.next_cursor === null || body.next_cursor.startsWith("run_z") ? null : body.next_cursor;
    }
    expect(pages[0]).toEqual([]);
    await env.DB.prepare("DELETE FROM runs WHERE id LIKE 'run_z%'").run();
    expect(await idsOf("/api/v1/runs?search=rarely")).toEqual([runId]);
  });
});

describe("routines", () => {
  it("tell their newest run and when they wake next, and are found by name, tag and status", async () => {
    const { routine, runId } = await endedRun("Prune the hedge", { team: "garden" });
    const timed = await buildRoutine({
      name: "Water the hedge",
      triggers: [
        { type: "schedule", every: "hourly" },
        { type: "schedule", every: "daily", time: "09:00" },
      ],
    });
    const { body } = await call<Page<ListedRoutine>>("GET", "/api/v1/routines?search=hedge");
    expect(body.data.map(({ id }) => id)).toEqual([timed.id, routine.id]);
    const [watered, pruned] = body.data;
    expect(pruned).toMatchObject({ next_fire_at: null, last_run: { id: runId, status: "succeeded", result: "done" } });
    expect(watered?.last_run).toBeNull();
    expect(watered?.next_fire_at).toBe(watered?.triggers[0]?.next_fire_times[0]);
    expect(await idsOf("/api/v1/routines?tag=team:garden")).toEqual([routine.id]);
    await call("POST", `/api/v1/routines/${timed.id}/pause`);
    expect(await idsOf("/api/v1/routines?status=paused&search=hedge")).toEqual([timed.id]);
  });
});

describe("deliveries", () => {
  it("are found by the routine whose triggers looked at them, and by what they say", async () => {
    const routine = await buildRoutine({ triggers: [{ type: "event", name: "tree.felled" }] });
    // It shall be looked at, and start nothing that a later runner would be given.
    await call("POST", `/api/v1/routines/${routine.id}/pause`);
    for (const name of ["tree.felled", "tree.planted"]) {
      await call("POST", "/api/v1/events", { name, payload: {} });
    }
    await vi.waitFor(async () => {
      const { body } = await call<Page<Delivery>>("GET", `/api/v1/deliveries?routine=${routine.id}`);
      expect(body.data.map(({ event }) => event)).toEqual(["tree.felled"]);
    });
    expect(await idsOf("/api/v1/deliveries?search=TREE")).toHaveLength(2);
    expect(await idsOf("/api/v1/deliveries?search=tree.p&source=event")).toHaveLength(1);
  });
});

it("figures count what has happened, and days on which nothing has", async () => {
  const { routine } = await endedRun("Counted", { team: "counted" });
  const { body } = await call<Stats>("GET", "/api/v1/stats?tag=team:counted");
  expect(body).toMatchObject({
    runs: 1,
    error_rate: 0,
    by_status: { succeeded: 1, failed: 0 },
    by_result: { done: 1 },
  });
  expect(body.days.length).toBeGreaterThanOrEqual(30);
  expect(body.days.reduce((sum, { succeeded }) => sum + succeeded, 0)).toBe(1);
  const none = await call<Stats>("GET", `/api/v1/stats?routine=${routine.id}&to=2020-02-01T00:00:00Z`);
  expect(none.body).toMatchObject({ runs: 0, error_rate: null, duration_ms: null });
  const wrong = await call("GET", "/api/v1/stats?from=2020-01-01T00:00:00Z&to=2022-01-01T00:00:00Z");
  expect(wrong.status).toBe(400);
});
