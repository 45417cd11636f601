/** Repositories change names and owners, end, and are made anew: a routine goes on with the one that it named. */
import { describe, expect, it } from "vitest";
import { buildRoutine } from "#test/support/api.ts";
import { deliverGithub, readDelivery } from "#test/support/deliver.ts";

let made = 0;

/** Two names and more of an owner of their own, and repositories' numbers. */
function somewhere() {
  made += 1;
  const [owner, first] = [`owner-${made}`, 5_000_000 + made * 100];
  return { owner, name: (short: string) => `${owner}/${short}`, id: (number: number) => first + number };
}

function repository(id: number, name: string) {
  return { id, full_name: name, private: true, html_url: `https://github.com/${name}` };
}

function routineOn(name: string, more: object = {}) {
  return buildRoutine({
    max_concurrent: 100,
    repositories: [{ url: `https://github.com/${name}` }],
    triggers: [{ type: "github", event: "issues", actions: ["opened"], ...more }],
  });
}

/** @returns the routines that an issue in a repository has woken. */
async function opens(id: number, name: string, title = "Do it"): Promise<string[]> {
  made += 1;
  const payload = { action: "opened", issue: { id: made, number: made, title }, repository: repository(id, name) };
  const { deliveryId } = await deliverGithub({ event: "issues", payload });
  const { outcomes } = await readDelivery(deliveryId);
  return outcomes.filter(({ outcome }) => outcome === "started").map(({ routine_id }) => routine_id);
}

const pushes = (id: number, name: string) =>
  deliverGithub({
    event: "push",
    payload: {
      ref: "refs/heads/main",
      before: "1".repeat(40),
      after: "2".repeat(40),
      repository: repository(id, name),
    },
  });
const renamed = (id: number, from: string, to: string, guid?: string) =>
  deliverGithub({
    event: "repository",
    ...(guid === undefined ? {} : { id: guid }),
    payload: {
      action: "renamed",
      changes: { repository: { name: { from: from.split("/")[1] } } },
      repository: repository(id, to),
    },
  });
const transferred = (id: number, fromOwner: string, to: string, kind = "organization") =>
  deliverGithub({
    event: "repository",
    payload: {
      action: "transferred",
      changes: { owner: { from: { [kind]: { login: fromOwner } } } },
      repository: repository(id, to),
    },
  });
const happens = (action: string, id: number, name: string) =>
  deliverGithub({ event: "repository", payload: { action, repository: repository(id, name) } });

describe("a name that another repository has taken over", () => {
  it("wakes nothing, when what came before did not pass the filters", async () => {
    const { name, id } = somewhere();
    const filters = [{ field: "issue.title", operator: "starts_with", value: "[agent]" }];
    const routine = await routineOn(name("early"), { filters });
    expect(await opens(id(1), name("early"), "a chat")).toEqual([]);
    expect(await opens(id(1), name("late"), "[agent] go")).toEqual([routine.id]);
    expect(await opens(id(2), name("early"), "[agent] go")).toEqual([]);
  });

  it("wakes nothing, when all that came before was what nobody waits for", async () => {
    const { name, id } = somewhere();
    const routine = await routineOn(name("early"));
    await pushes(id(1), name("early"));
    expect(await opens(id(2), name("early"))).toEqual([]);
    expect(await opens(id(1), name("late"))).toEqual([routine.id]);
    expect(await opens(id(2), name("early"))).toEqual([]);
  });

  it("wakes nothing, when an installation told of the repository", async () => {
    const { owner, name, id } = somewhere();
    const routine = await routineOn(name("early"));
    const installation = { id: id(50), account: { login: owner } };
    const repositories = [{ id: id(1), full_name: name("early"), private: true }];
    await deliverGithub({ event: "installation", payload: { action: "created", installation, repositories } });
    expect(await opens(id(2), name("early"))).toEqual([]);
    expect(await opens(id(1), name("late"))).toEqual([routine.id]);
  });

  it("wakes nothing, when all that came before was the ping of its webhook", async () => {
    const { name, id } = somewhere();
    const routine = await routineOn(name("early"));
    const payload = {
      zen: "Speak like a human.",
      hook: { type: "Repository" },
      repository: repository(id(1), name("early")),
    };
    const { deliveryId } = await deliverGithub({ event: "ping", payload });
    expect(await readDelivery(deliveryId)).toMatchObject({ status: "ignored", outcomes: [] });
    expect(await opens(id(2), name("early"))).toEqual([]);
    expect(await opens(id(1), name("late"))).toEqual([routine.id]);
  });

  it("wakes the routine that is made for it afterwards, or names it anew", async () => {
    const { name, id } = somewhere();
    await pushes(id(1), name("app"));
    const routine = await routineOn(name("app"));
    expect(await opens(id(2), name("app"))).toEqual([routine.id]);
  });

  it("wakes nothing after the repository was deleted and made anew", async () => {
    const { name, id } = somewhere();
    const routine = await routineOn(name("app"));
    expect(await opens(id(1), name("app"))).toEqual([routine.id]);
    await happens("created", id(2), name("app"));
    await happens("deleted", id(1), name("app"));
    expect(await opens(id(2), name("app"))).toEqual([]);
  });

  it.each(["before", "after"])("wakes nothing, when its deletion is told %s the new one is made", async (order) => {
    const { name, id } = somewhere();
    await routineOn(name("app"));
    if (order === "before") await happens("deleted", id(1), name("app"));
    await happens("created", id(2), name("app"));
    if (order === "after") await happens("deleted", id(1), name("app"));
    expect(await opens(id(2), name("app"))).toEqual([]);
  });
});

describe("a renamed repository", () => {
  it.each([
    ["in this order", false, false],
    ["in the other order", true, false],
    ["in the other order, with an event in between", true, true],
  ])("goes on while another takes its name, told %s", async (_order, isOtherFirst, isEventBetween) => {
    const { name, id } = somewhere();
    const [a, b] = [await routineOn(name("a")), await routineOn(name("b"))];
    const steps = [() => renamed(id(2), name("b"), name("c")), () => renamed(id(1), name("a"), name("b"))];
    const [first, second] = isOtherFirst ? steps.reverse() : steps;
    await first?.();
    if (isEventBetween) expect(await opens(id(1), name("b"))).toContain(a.id);
    await second?.();
    expect(await opens(id(1), name("b"))).toEqual([a.id]);
    expect(await opens(id(2), name("c"))).toEqual([b.id]);
    // What GitHub sends again is told once.
    await second?.();
    expect(await opens(id(2), name("c"))).toEqual([b.id]);
  });

  it("wakes routines on its old and on its new name, in any case", async () => {
    const { name, id } = somewhere();
    const [old, young] = [await routineOn(name("Old")), await routineOn(name("young"))];
    await renamed(id(1), name("OLD"), name("Young"));
    expect((await opens(id(1), name("YOUNG"))).sort()).toEqual([old.id, young.id].sort());
  });

  it("wakes a routine that was made with the old name, which GitHub redirects", async () => {
    const { name, id } = somewhere();
    await renamed(id(1), name("old"), name("new"));
    const routine = await routineOn(name("old"));
    expect(await opens(id(1), name("new"))).toEqual([routine.id]);
    expect(await opens(id(2), name("old"))).toEqual([]);
  });

  it("is known by what it was called, however often and however late that is told", async () => {
    const { name, id } = somewhere();
    const routine = await routineOn(name("a"));
    await renamed(id(1), name("a"), name("b"), "told-twice");
    expect(await opens(id(9), name("a"))).toEqual([]);
    await renamed(id(9), name("a"), name("z"));
    await renamed(id(1), name("a"), name("b"), "told-twice");
    expect(await opens(id(9), name("z"))).toEqual([]);
    expect(await opens(id(1), name("b"))).toEqual([routine.id]);
  });

  it("goes on after a transfer to another owner, and back", async () => {
    const [from, to] = [somewhere(), somewhere()];
    const routine = await routineOn(from.name("app"));
    await transferred(from.id(1), from.owner, to.name("app"));
    expect(await opens(from.id(1), to.name("app"))).toEqual([routine.id]);
    expect(await opens(from.id(2), from.name("app"))).toEqual([]);
    await transferred(from.id(1), to.owner, from.name("app"), "user");
    expect(await opens(from.id(1), from.name("app"))).toEqual([routine.id]);
    expect(await opens(from.id(3), to.name("app"))).toEqual([]);
  });

  it.each(["organization", "installation_target"])("goes on when its owner was renamed, as %s tells", async (event) => {
    const [from, to] = [somewhere(), somewhere()];
    const [known, unknown] = [await routineOn(from.name("known")), await routineOn(from.name("unknown"))];
    await pushes(from.id(1), from.name("known"));
    const now = event === "organization" ? { organization: { login: to.owner } } : { account: { login: to.owner } };
    await deliverGithub({
      event,
      payload: { action: "renamed", changes: { login: { from: from.owner.toUpperCase() } }, ...now },
    });
    // Somebody else has taken the owner's old name.
    expect(await opens(from.id(8), from.name("known"))).toEqual([]);
    expect(await opens(from.id(9), from.name("unknown"))).toEqual([]);
    expect(await opens(from.id(1), to.name("known"))).toEqual([known.id]);
    expect(await opens(from.id(2), to.name("other"))).toEqual([]);
    void unknown;
  });

  it("whose owner was renamed is found by a routine that has heard nothing of it yet", async () => {
    const [from, to] = [somewhere(), somewhere()];
    const routine = await routineOn(from.name("app"));
    const changes = { login: { from: from.owner } };
    const payload = { action: "renamed", changes, organization: { login: to.owner } };
    await deliverGithub({ event: "organization", payload });
    expect(await opens(from.id(1), to.name("app"))).toEqual([routine.id]);
    expect(await opens(from.id(2), from.name("app"))).toEqual([]);
  });
});
