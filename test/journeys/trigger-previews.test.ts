/** Triggers that are not saved: when a schedule would fire, and which of the last deliveries a trigger would take. */
import { describe, expect, it } from "vitest";
import type { TriggerTrial } from "#protocol/trigger-preview.ts";
import { buildRoutine, call } from "#test/support/api.ts";
import { deliverGithub, pullRequest, someRepository } from "#test/support/deliver.ts";

interface Refused {
  error: { details: { issues: { field: string; message: string }[] } };
}

describe("a schedule", () => {
  const times = <Body>(trigger: object, count?: number) =>
    call<Body>("POST", "/api/v1/triggers/schedule-times", { trigger: { type: "schedule", ...trigger }, count });

  it("tells its next five times, of its own zone", async () => {
    const { status, body } = await times<{ next_fire_times: string[] }>({
      every: "daily",
      time: "09:30",
      timezone: "Asia/Tokyo",
    });
    expect(status).toBe(200);
    expect(body.next_fire_times).toHaveLength(5);
    expect(body.next_fire_times.every((time) => time.endsWith("T00:30:00.000Z"))).toBe(true);
    expect(body.next_fire_times.toSorted()).toEqual(body.next_fire_times);
  });

  it("is told of what can't be, with its field", async () => {
    const { status, body } = await times<Refused>({ cron: "0 0 30 2 *" });
    expect(status).toBe(400);
    expect(body.error.details.issues[0]?.field).toBe("trigger.cron");
  });
});

describe("a trigger", () => {
  const tried = <Body = { data: TriggerTrial[] }>(input: object) => call<Body>("POST", "/api/v1/triggers/try", input);
  const wanted = { type: "github", event: "pull_request", actions: ["opened"] };

  it("is tried on what came of its event, filter by filter, and fires nothing", async () => {
    const repository = someRepository();
    const routine = await buildRoutine({ repositories: [{ url: repository.html_url }], triggers: [] });
    await deliverGithub({ event: "pull_request", payload: pullRequest(repository, { base: "main", number: 1 }) });
    await deliverGithub({ event: "pull_request", payload: pullRequest(repository, { base: "dev", number: 2 }) });
    await deliverGithub({ event: "pull_request", payload: pullRequest(repository, { action: "closed", number: 3 }) });
    const { status, body } = await tried({
      trigger: { ...wanted, filters: [{ field: "base_branch", operator: "equals", value: "main" }] },
      repositories: [{ url: repository.html_url, push: "none" }],
      routine_id: routine.id,
    });
    expect(status).toBe(200);
    const ours = body.data.filter(({ why }) => !why.startsWith("It came from a repository"));
    expect(ours).toMatchObject([
      { action: "closed", matched: false, starts: false, why: "The action is closed, not opened.", filters: [] },
      { matched: false, why: 'base_branch is "dev", not "main"', filters: [{ field: "base_branch", matched: false }] },
      { matched: true, starts: true, filters: [{ field: "base_branch", matched: true }] },
    ]);
    const runs = await call<{ data: unknown[] }>("GET", `/api/v1/routines/${routine.id}/runs`);
    expect(runs.body.data).toEqual([]);
  });

  it("that has matched says what keeps a run from starting", async () => {
    const repository = someRepository();
    const payload = pullRequest(repository, { association: "NONE", isFork: true });
    await deliverGithub({ event: "pull_request", payload });
    const { body } = await tried({ trigger: wanted, repositories: [{ url: repository.html_url }] });
    expect(body.data[0]).toMatchObject({ matched: true, starts: false });
    expect(body.data[0]?.why).toContain("allow_public is off");
  });

  it.each([
    ["a filter that can't be", { ...wanted, filters: [{ field: "title", operator: "matches_regex", value: "(" }] }],
    ["a type to which nothing is delivered", { type: "api" }],
  ])("with %s is refused by its field", async (_title, trigger) => {
    const { status, body } = await tried<{ error: { message: string } }>({ trigger });
    expect(status).toBe(400);
    expect(body.error.message).toMatch(/^trigger\./);
  });

  it("can wait for what GitHub tells, by the names of its events, actions and fields", async () => {
    const { body } = await call<{ data: { event: string; actions: string[]; fields: { field: string }[] }[] }>(
      "GET",
      "/api/v1/github/events",
    );
    const told = body.data.find(({ event }) => event === "pull_request");
    expect(told?.actions).toContain("synchronize");
    expect(told?.fields.map(({ field }) => field)).toContain("base_branch");
    expect(body.data.find(({ event }) => event === "push")?.fields.map(({ field }) => field)).toEqual([
      "sender",
      "repository",
      "number",
    ]);
  });
});
