/** A GitHub trigger's status is true: `active` where events come, `unreachable` where none can. */
import { expect, it } from "vitest";
import type { Routine } from "#protocol/routine.ts";
import { buildRoutine, call } from "#test/support/api.ts";
import { deliverGithub, someRepository } from "#test/support/deliver.ts";

type Repository = ReturnType<typeof someRepository>;
let installations = 0;

/** A routine whose filter lets nothing through: what comes shows in its status alone. */
async function waitingFor(repository: Repository, event = "push"): Promise<string> {
  const filters = [{ field: "ref", operator: "equals", value: "never" }];
  const triggers = [{ type: "github", event, filters }];
  return (await buildRoutine({ repositories: [{ url: repository.html_url }], triggers })).id;
}

async function statusOf(routineId: string) {
  return (await call<Routine>("GET", `/api/v1/routines/${routineId}`)).body.triggers[0]?.status;
}

/** An App's installation, with the verbs that GitHub tells of it. */
function install(more: object = {}) {
  installations += 1;
  const installation = { id: 9_000 + installations, account: { login: "acme" }, ...more };
  const tells =
    (event: string) =>
    (action: string, rest: object = {}, guid?: string) =>
      deliverGithub({
        event,
        ...(guid === undefined ? {} : { id: guid }),
        payload: { action, installation, ...rest },
      });
  return { installation, is: tells("installation"), repositories: tells("installation_repositories") };
}

const push = (repository: Repository, installation?: object) =>
  deliverGithub({
    event: "push",
    payload: { ref: "refs/heads/main", after: "2".repeat(40), repository, ...(installation ? { installation } : {}) },
  });
const told = (action: string, repository: Repository, more: object = {}) =>
  deliverGithub({ event: "repository", payload: { action, repository, ...more } });

it("knows nothing of an instance without an App, but what was deleted", async () => {
  const [mine, other] = [someRepository(), someRepository()];
  const [routine, others] = [await waitingFor(mine), await waitingFor(other)];
  expect(await statusOf(routine)).toBe("active");
  await told("deleted", mine);
  expect([await statusOf(routine), await statusOf(others)]).toEqual(["unreachable", "active"]);
});

it("follows what the App is given, denied, and what has a webhook of its own", async () => {
  const [given, made, hooked] = [someRepository(), someRepository(), someRepository()];
  const ids = [await waitingFor(given), await waitingFor(made), await waitingFor(hooked)] as const;
  const statuses = () => Promise.all(ids.map(statusOf));
  const app = install();
  await app.is("created", { repositories: [given] });
  expect(await statuses()).toEqual(["active", "unreachable", "unreachable"]);
  await told("created", made, { installation: app.installation });
  await push(hooked);
  expect(await statuses()).toEqual(["active", "active", "active"]);
  await app.repositories("removed", { repositories_removed: [{ id: given.id }] });
  expect(await statuses()).toEqual(["unreachable", "active", "active"]);
  // On its way since before.
  await push(given, app.installation);
  expect(await statuses()).toEqual(["unreachable", "active", "active"]);
  await app.repositories("added", { repositories_added: [given] });
  expect(await statuses()).toEqual(["active", "active", "active"]);
  await deliverGithub({ event: "meta", payload: { action: "deleted", hook: { id: 1 }, repository: hooked } });
  expect(await statuses()).toEqual(["active", "active", "unreachable"]);
});

it("takes nothing for news that was on its way when the App lost the repository, whatever the payload's clock says", async () => {
  const repository = someRepository();
  const routine = await waitingFor(repository);
  const app = install({ updated_at: "2020-01-01T00:00:00Z", suspended_at: null });
  await app.is("created", { repositories: [repository] });
  await app.repositories("removed", { repositories_removed: [repository] });
  await push(repository, app.installation);
  expect(await statusOf(routine)).toBe("unreachable");
  await app.repositories("added", { repositories_added: [repository] });
  expect(await statusOf(routine)).toBe("active");
});

it.each([true, false])(
  "follows a repository to an owner with an installation of its own, removal first: %s",
  async (isFirst) => {
    const repository = someRepository();
    const routine = await waitingFor(repository);
    const [from, to] = [install(), install({ account: { login: "emca" } })];
    await from.is("created", { repositories: [repository] });
    await to.is("created", { repositories: [] });
    const removed = () => from.repositories("removed", { repositories_removed: [repository] });
    const changes = { owner: { from: { organization: { login: "acme" } } } };
    const moved = { ...repository, full_name: `emca/${repository.name}` };
    const transferred = () => told("transferred", moved, { changes, installation: to.installation });
    for (const tell of isFirst ? [removed, transferred] : [transferred, removed]) await tell();
    expect(await statusOf(routine)).toBe("active");
  },
);

it.each(["suspend", "deleted"])("learns nothing from the replay of a %s that is over", async (action) => {
  const repository = someRepository();
  const routine = await waitingFor(repository);
  const app = install();
  await app.is("created", { repositories: [repository] });
  const { deliveryId } = await app.is(action, { repositories: [repository] });
  expect(await statusOf(routine)).toBe("unreachable");
  await app.is(action === "suspend" ? "unsuspend" : "created", { repositories: [repository] });
  expect(await statusOf(routine)).toBe("active");
  expect((await call("POST", `/api/v1/deliveries/${deliveryId}/replay`)).status).toBe(200);
  expect(await statusOf(routine)).toBe("active");
});

it("is the same under a new name and with a new owner", async () => {
  const repository = someRepository();
  const routine = await waitingFor(repository);
  const app = install();
  await app.is("created", { repositories: [repository] });
  const full_name = `${repository.full_name}-renamed`;
  const changes = { repository: { name: { from: repository.name } } };
  await told("renamed", { ...repository, full_name }, { changes, installation: app.installation });
  expect(await statusOf(routine)).toBe("active");
  const young = await waitingFor({ ...repository, html_url: `https://github.com/${full_name}` });
  expect(await statusOf(young)).toBe("active");
  await deliverGithub({
    event: "installation_target",
    payload: { action: "renamed", changes: { login: { from: "acme" } }, account: { login: "emca" } },
  });
  const moved = `https://github.com/emca/${full_name.slice(5)}`;
  expect(await statusOf(await waitingFor({ ...repository, html_url: moved }))).toBe("active");
  expect(await statusOf(routine)).toBe("active");
});

it("ends and comes back with the installation, told late or twice", async () => {
  const repository = someRepository();
  const routine = await waitingFor(repository);
  const app = install();
  const at = (minute: number) => ({ ...app.installation, updated_at: `2026-11-25T10:0${minute}:00Z` });
  await app.is("created", { repositories: [repository], installation: at(1) }, "created-once");
  expect(await statusOf(routine)).toBe("active");
  await app.is("suspend", { installation: { ...at(3), suspended_at: "2026-11-25T10:03:00Z" } });
  expect(await statusOf(routine)).toBe("unreachable");
  // Older than what is known.
  await app.is("unsuspend", { installation: { ...at(2), suspended_at: null } });
  expect(await statusOf(routine)).toBe("unreachable");
  await app.is("unsuspend", { installation: { ...at(4), suspended_at: null } });
  expect(await statusOf(routine)).toBe("active");
  await app.is("deleted", { repositories: [repository], installation: at(4) });
  expect(await statusOf(routine)).toBe("unreachable");
  await app.is("created", { repositories: [repository], installation: at(1) }, "created-once");
  await push(repository, app.installation);
  expect(await statusOf(routine)).toBe("unreachable");
  const again = install();
  await again.is("created", { repositories: [repository] });
  expect(await statusOf(routine)).toBe("active");
});

it("goes by the order in which it is told where GitHub gives no time", async () => {
  const repository = someRepository();
  const routine = await waitingFor(repository);
  const app = install();
  const repositories = [repository];
  const seen: unknown[] = [];
  for (const action of ["created", "suspend", "unsuspend", "deleted", "created"]) {
    await app.is(action, { repositories });
    seen.push(await statusOf(routine));
  }
  expect(seen).toEqual(["active", "unreachable", "active", "unreachable", "active"]);
});

it("counts the events that the App is sent, until others come", async () => {
  const repository = someRepository();
  const [pushes, issues] = [await waitingFor(repository), await waitingFor(repository, "issues")];
  const statuses = async () => [await statusOf(pushes), await statusOf(issues)];
  const app = install({ events: ["issues"] });
  await app.is("created", { repositories: [repository] });
  expect(await statuses()).toEqual(["unreachable", "active"]);
  await push(repository, app.installation);
  expect(await statuses()).toEqual(["active", "active"]);
  await app.is("new_permissions_accepted", { installation: { ...app.installation, events: ["push"] } });
  expect(await statuses()).toEqual(["active", "unreachable"]);
});
