/** Every id counts as a whole: whatever names a thing that nobody owns is 404 on every path, and changes nothing. */
import { runInDurableObject } from "cloudflare:test";
import { DurableObject, env } from "cloudflare:workers";
import { expect, it, vi } from "vitest";
import { makeAttemptToken } from "#instance/attempt-token.ts";
import { type IdKind, ownerKeyOf } from "#protocol/ids.ts";
import { RUNNER_CLOSE } from "#protocol/runner-link.ts";
import { buildRoutine, call, fired, watch } from "#test/support/api.ts";
import { asBrowser, signIn } from "#test/support/browser.ts";
import { playRun } from "#test/support/chains.ts";
import { FakeRunner } from "#test/support/fake-runner.ts";
import { hide } from "#test/support/hidden.ts";
import { ownerOf } from "#test/support/objects.ts";
import { dial, type TestSocket } from "#test/support/test-socket.ts";

interface Operation {
  operationId: string;
  parameters?: { name: string; in: string; schema: unknown }[];
}

/** What an operation takes that needs a body, so that nothing but the id is wrong with the request. */
const BODIES: Record<string, unknown> = {
  "PATCH /api/v1/routines/{id}": { name: "Taken over" },
  "POST /api/v1/routines/{id}/triggers/{trigger_id}/secret/handed-over": { id: "0123456789abcdef" },
  "POST /api/v1/runs/{id}/verdict": { verdict: "good" },
  "PATCH /api/v1/sessions/{id}": { title: "Taken over" },
  "POST /api/v1/sessions/{id}/messages": { text: "Taken over" },
  "POST /api/v1/runs/{id}/answer": { question_id: "q_1", text: "Taken over" },
  "PATCH /api/v1/environments/{id}": { setup: "exit 1" },
  "PATCH /api/v1/connectors/{id}": { name: "taken-over" },
  "POST /api/v1/routines/{id}/triggers/test": { source: "event", event: "x", payload: {} },
};

const EVERY_PLACE = Array.from({ length: 26 }, (_, place) => place);
/** What the routine under test really has. */
let own: ReadonlySet<string> = new Set();

/** In the time, in the owner's key, in the serial. */
const SOME_PLACES = [0, 8, 12, 21, 25];

/** Ids that look like this one and are not it: a place of each part changed, and spellings that mean the same to some readers. */
function madeUp(id: string, places = SOME_PLACES): string[] {
  const at = id.indexOf("_") + 1;
  const body = id.slice(at);
  const changed = places.map(
    (place) => `${body.slice(0, place)}${body[place] === "7" ? "8" : "7"}${body.slice(place + 1)}`,
  );
  const owner = body.slice(9, 21);
  const spelled = [
    body.toLowerCase(),
    body.replace("0", "O"),
    body.replace("1", "I"),
    body.replace("1", "l"),
    `${body.slice(0, -1)}U`,
    `${body}A`,
    body.slice(1),
  ];
  const bodies = [...changed, `ZZZZZZZZZ${owner}ZZZZZ`, `000000000${owner}00000`, ...spelled];
  const others = bodies.map((other) => `${id.slice(0, at)}${other}`);
  return others.filter((other) => other !== id && !own.has(other));
}

/** A notification that has been sent, of another routine. */
async function notified(): Promise<string> {
  vi.mocked(globalThis.fetch).mockImplementation(async () => new Response());
  const routine = await buildRoutine({ notify: [{ on: ["succeeded"], webhook: "https://receiver.example.com/" }] });
  using runner = await FakeRunner.join();
  await playRun(runner, (await fired(routine)).run_id);
  return await vi.waitFor(async () => {
    const { body } = await call<{ data: { id: string }[] }>("GET", "/api/v1/notifications?status=sent");
    if (body.data[0] === undefined) throw new Error("nothing has been sent yet");
    return body.data[0].id;
  });
}

async function build() {
  const notification = await notified();
  const routine = await buildRoutine({ triggers: [{ type: "api" }, { type: "webhook", source: "generic" }] });
  // Made in one moment, the two triggers' ids can differ in a single place: one changed may be the other.
  own = new Set(routine.triggers.map(({ id }) => id));
  const run = await fired(routine);
  const trigger = routine.triggers.find(({ type }) => type === "webhook")?.id ?? "";
  const delivery = await call<{ id: string }>("POST", "/api/v1/events", { name: "nobody-waits" });
  const occurrences = await call<{ data: { id: string }[] }>("GET", `/api/v1/routines/${routine.id}/occurrences`);
  await signIn();
  const signIns = await call<{ data: { id: string }[] }>("GET", "/api/v1/sign-ins");
  const environment = await call<{ id: string }>("POST", "/api/v1/environments", { name: `ci-${Date.now()}` });
  vi.spyOn(globalThis, "fetch").mockRejectedValue(new Error("nobody is there"));
  const server = { name: `mcp-${Date.now()}`, url: "https://mcp.acme.dev/mcp" };
  const connector = await call<{ id: string }>("POST", "/api/v1/connectors", server);
  vi.restoreAllMocks();
  const ids: Record<IdKind, string> = {
    routine: routine.id,
    trigger,
    run: run.run_id,
    session: run.claude_code_session_id,
    delivery: delivery.body.id,
    occurrence: occurrences.body.data[0]?.id ?? "",
    sign_in: signIns.body.data[0]?.id ?? "",
    environment: environment.body.id,
    connector: connector.body.id,
    notification,
  };
  const { body } = await call<{ token: string }>("POST", `/api/v1/routines/${routine.id}/token`, { may_read: true });
  hide(body.token);
  return { ids, token: body.token };
}

function kindOf(path: string, name: string): IdKind {
  if (name === "endpoint_id" || name === "trigger_id") return "trigger";
  if (name === "run_id") return "run";
  if (path.includes("/routines/")) return "routine";
  if (path.includes("/dead-letters/")) return "occurrence";
  if (path.includes("/environments/")) return "environment";
  if (path.includes("/connectors/")) return "connector";
  if (path.includes("/notifications/")) return "notification";
  if (path.includes("/deliveries/")) return "delivery";
  if (path.includes("/sign-ins/")) return "sign_in";
  if (path.includes("/sessions/")) return "session";
  return path.includes("/runs/") ? "run" : "routine";
}

/** Everything that the routine's object has stored. */
function stored(id: string): Promise<Record<string, unknown[]>> {
  return runInDurableObject(ownerOf(id), (_object, { storage }) => {
    const names = storage.sql.exec<{ name: string }>(
      "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '\\_cf%' ESCAPE '\\'",
    );
    return Object.fromEntries(
      [...names].map(({ name }) => [name, storage.sql.exec(`SELECT * FROM "${name}"`).toArray()]),
    );
  });
}

it("answers no id but its own, on any path, and does nothing", async () => {
  const { ids, token } = await build();
  const described = await call<{ paths: Record<string, Record<string, Operation>> }>("GET", "/openapi.json");
  const operations = Object.entries(described.body.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => ({
      path,
      method: method.toUpperCase(),
      names: [...path.matchAll(/\{([a-z_]+)\}/g)].map(([, name]) => name ?? ""),
    })),
  );
  // What is put under a name is made under it.
  const withIds = operations.filter(
    ({ names, path, method }) => names.length > 0 && method !== "PUT" && !path.endsWith("/live"),
  );
  expect(withIds.length).toBeGreaterThanOrEqual(25);
  const before = await stored(ids.routine);
  const answered: string[] = [];
  for (const { path, method, names } of withIds) {
    for (const name of names.filter((one) => one !== "source" && !(one === "name" && path.includes("/notes/")))) {
      for (const other of madeUp(ids[kindOf(path, name)])) {
        const at = names.reduce(
          (filled, one) =>
            filled.replace(`{${one}}`, one === name ? other : one === "source" ? "generic" : ids[kindOf(path, one)]),
          path,
        );
        const key = `${method} ${path}`;
        const headers: Record<string, string> = path.startsWith("/v1/claude_code/")
          ? { authorization: `Bearer ${token}` }
          : {};
        const { status } = await call(method, at, BODIES[key], headers);
        if (status !== 404) answered.push(`${key}: ${status} for ${name} ${other}`);
      }
    }
  }
  expect(answered).toEqual([]);
  expect(await stored(ids.routine)).toEqual(before);
});

/** All that can be asked of an object: its classes' methods, but for those of the platform's class. */
function methodsOf(object: object): string[] {
  const methods: string[] = [];
  for (let one = Object.getPrototypeOf(object); one !== DurableObject.prototype; one = Object.getPrototypeOf(one)) {
    methods.push(...Object.getOwnPropertyNames(one));
  }
  return methods;
}

/** What the platform calls, and `create`, which the id is given to. */
const NOT_ASKED = ["constructor", "fetch", "alarm", "webSocketMessage", "webSocketClose", "webSocketError", "create"];

it("has no method that does anything in the name of an id which the routine does not own", async () => {
  const { ids } = await build();
  const before = await stored(ids.routine);
  const foreign = [ids.routine, ids.run, ids.session, ids.trigger, ids.occurrence].flatMap((id) =>
    madeUp(id, EVERY_PLACE),
  );
  const answers = await runInDurableObject(ownerOf(ids.routine), async (object) => {
    const names = methodsOf(object).filter((name) => !NOT_ASKED.includes(name));
    const asked = names.flatMap((name) => [...foreign, ids.delivery, ""].map((id) => ({ name, id })));
    const told = asked.map(
      async ({ name, id }) => `${name}: ${codeOf(await Reflect.get(object, name).call(object, id))}`,
    );
    return [...new Set(await Promise.all(told))].toSorted();
  });
  const isRefused = (answer: string) => /: (not_found|proxy_token_refused)$/.test(answer);
  // Of what is not its own it has seen no hello, it has no use for its bytes, and the others are told to it: they change nothing.
  expect(answers.filter((answer) => !isRefused(answer))).toEqual([
    "conversationParts: nothing",
    "hasSaidHello: ok",
    "hasUseFor: ok",
    "leaseEnded: nothing",
    "noteContainer: nothing",
    "revokeAccess: nothing",
    "sandboxFor: nothing",
    "setupPlace: nothing",
    "workspaceToKeep: nothing",
    "workspaceToRestore: nothing",
  ]);
  expect(answers.length).toBeGreaterThan(25);
  expect(await stored(ids.routine)).toEqual(before);
});

function codeOf(answer: { ok: boolean; refusal?: { code: string } } | undefined | null): string {
  return answer === undefined || answer === null ? "nothing" : (answer.refusal?.code ?? "ok");
}

it("opens no socket, takes no ticket and no token for an id that is changed", async () => {
  const { ids } = await build();
  const { body } = await call<{ ticket: string }>("POST", `/api/v1/sessions/${ids.session}/ticket`);
  const browser = await signIn();
  for (const session of wellFormed(ids.session)) {
    const live = `/api/v1/sessions/${session}/live`;
    expect(await closeOf(await watch(session))).toBe(4404);
    expect(await closeOf(await dial(live, browser))).toBe(4404);
    expect(await closeOf(await dial(`${live}?ticket=${body.ticket}`))).toBe(4401);
    const ticket = await asBrowser("POST", `/api/v1/sessions/${session}/ticket`, browser);
    expect(ticket.status).toBe(404);
  }
  expect(await env.DB.prepare("SELECT * FROM web_session_objects").all()).toMatchObject({ results: [] });
  for (const run_id of wellFormed(ids.run)) {
    const lease = { run_id, generation: 1 };
    const [link, proxy] = await Promise.all([
      makeAttemptToken(env.SIGNING_KEY ?? "", "link", lease),
      makeAttemptToken(env.SIGNING_KEY ?? "", "proxy", lease),
    ]);
    const dialed = await dial(`/runner/runs/${run_id}/link`, { authorization: `Bearer ${link}` });
    expect(await closeOf(dialed)).toBe(RUNNER_CLOSE.refused);
    const authorization = `Bearer ${proxy}`;
    const message = { model: "claude-sonnet-5", messages: [], max_tokens: 1 };
    for (const path of ["model/v1/messages", "model/v1/messages/count_tokens"]) {
      expect(await call("POST", `/proxy/${run_id}/${path}`, message, { authorization })).toMatchObject({ status: 401 });
    }
    const refs = `/proxy/${run_id}/git/0/info/refs?service=git-upload-pack`;
    expect(await call("GET", refs, undefined, { authorization })).toMatchObject({ status: 401 });
  }
});

/** Those that have the form of an id. */
function wellFormed(id: string): string[] {
  return madeUp(id).filter((other) => ownerKeyOf(other) !== null);
}

async function closeOf(socket: TestSocket): Promise<number | undefined> {
  await socket.until(() => socket.closed !== null);
  return socket.closed?.code;
}
