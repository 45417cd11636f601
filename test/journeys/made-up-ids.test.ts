/** Ids that nobody owns: whoever asks with them, by whichever way, is told so, and no object comes to be of it. */
import { listDurableObjectIds } from "cloudflare:test";
import { env, exports } from "cloudflare:workers";
import { afterEach, beforeAll, expect, it, vi } from "vitest";
import { drawOwnerKey, IdMaker, ownerKeyOf } from "#protocol/ids.ts";
import { buildRoutine, call, fired, watch } from "#test/support/api.ts";
import { ownerOf } from "#test/support/objects.ts";
import { dial, type TestSocket } from "#test/support/test-socket.ts";
import { KnownRoutines } from "#worker/parties/known-routines.ts";
import { partiesOf } from "#worker/parties/parties.ts";

/** Of the others there is one object each. */
const NAMESPACES: readonly DurableObjectNamespace[] = [env.ROUTINE, env.POOL, env.SANDBOX];

/** All objects that there are of kinds that are addressed by what somebody says. */
async function objects(): Promise<string[]> {
  const lists = await Promise.all(NAMESPACES.map((namespace) => listDurableObjectIds(namespace)));
  return lists.flatMap((ids) => ids.map(String)).toSorted();
}

/** An id as it may be, of an owner that there never was. */
function madeUp(kind: Parameters<IdMaker["make"]>[0]): string {
  const random = (bytes: Uint8Array<ArrayBuffer>) => crypto.getRandomValues(bytes);
  return new IdMaker(drawOwnerKey(random), random).make(kind, Date.now());
}

/** A value for each name in the path of an operation. */
const VALUES: Record<string, (path: string) => string> = {
  id: (path) => {
    if (path.includes("/notifications/")) return madeUp("notification");
    if (path.includes("/sessions/")) return madeUp("session");
    if (path.includes("/dead-letters/")) return madeUp("occurrence");
    if (path.includes("/environments/")) return madeUp("environment");
    if (path.includes("/connectors/")) return madeUp("connector");
    if (path.includes("/deliveries/")) return madeUp("delivery");
    if (path.includes("/sign-ins/")) return madeUp("sign_in");
    return path.includes("/runs/") ? madeUp("run") : madeUp("routine");
  },
  run_id: () => madeUp("run"),
  trigger_id: () => madeUp("trigger"),
  endpoint_id: () => madeUp("trigger"),
  artifact_id: () => "0123456789abcdef",
  source: () => "generic",
  name: () => "nobodys",
};

/** What an operation takes that needs a body, so that nothing but the id is wrong with the request. */
const BODIES: Record<string, unknown> = {
  "PATCH /api/v1/routines/{id}": { name: "Taken over" },
  "POST /api/v1/routines/{id}/triggers/{trigger_id}/secret/handed-over": { id: "0123456789abcdef" },
  "POST /api/v1/runs/{id}/verdict": { verdict: "good" },
  "PATCH /api/v1/sessions/{id}": { title: "Taken over" },
  "POST /api/v1/sessions/{id}/messages": { text: "Taken over" },
  "POST /api/v1/runs/{id}/answer": { question_id: "q_1", text: "Taken over" },
  "POST /api/v1/routines/{id}/triggers/test": { source: "event", event: "x", payload: {} },
  "PUT /api/v1/routines/{id}/notes/{name}": { text: "Taken over" },
};

/** Where routines' objects are asked. */
const OWNED = [
  "/api/v1/routines/",
  "/api/v1/runs/",
  "/api/v1/sessions/",
  "/api/v1/dead-letters/",
  "/api/v1/notifications/",
  "/api/v1/listeners/",
  "/v1/claude_code/",
];

interface Operation {
  method: string;
  path: string;
}

let operations: Operation[] = [];

beforeAll(async () => {
  await buildRoutine();
  const { body } = await call<{ paths: Record<string, object> }>("GET", "/openapi.json");
  operations = Object.entries(body.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => ({ path, method: method.toUpperCase() })),
  );
});

afterEach(() => void vi.restoreAllMocks());

/** The operation asked with ids that nobody owns. */
async function askMadeUp({ path, method }: Operation) {
  const at = path.replaceAll(/\{([a-z_]+)\}/g, (_, name: string) => VALUES[name]?.(path) ?? `no value for ${name}`);
  const body = BODIES[`${method} ${path}`];
  const headers: Record<string, string> = path.startsWith("/v1/claude_code/")
    ? { authorization: "Bearer rvl_fire_of-nobody" }
    : {};
  return await call<{ error: { code?: string } }>(method, at, body, headers);
}

it("reach no object by any operation of the API, and are told to be unknown", async () => {
  const before = await objects();
  const owned = operations.filter(({ path }) => OWNED.some((start) => path.startsWith(start) && path.includes("{")));
  const asked = owned.filter(({ path }) => !path.endsWith("/live"));
  expect(asked.length).toBeGreaterThanOrEqual(40);
  const answers: string[] = [];
  for (const operation of asked) {
    const { status } = await askMadeUp(operation);
    if (status !== 404) answers.push(`${operation.method} ${operation.path}: ${status}`);
  }
  expect(answers).toEqual([]);
  expect(await objects()).toEqual(before);
});

it("reach no object by the ways that have no operation: sockets, tickets, streams, bodies that name a routine", async () => {
  const before = await objects();
  const session = madeUp("session");
  expect(await closeOf(await watch(session))).toBe(4404);
  expect(await closeOf(await dial(`/api/v1/sessions/${session}/live?ticket=rvl_ticket_of-nobody`))).toBe(4401);
  const streams = { accept: "text/event-stream" };
  const stream = await exports.default.fetch(
    new Request(`https://reveille.test/api/v1/sessions/${session}/events`, {
      headers: { ...streams, authorization: `Bearer ${env.OWNER_TOKEN}` },
    }),
  );
  expect(stream.status).toBe(404);
  await stream.body?.cancel();
  const named = { routine: madeUp("routine"), name: "A", prompt: "p" };
  await call("POST", "/api/v1/routines/validate", named);
  const trigger = { type: "webhook", source: "generic" };
  await call("POST", "/api/v1/triggers/test", { trigger, routine_id: madeUp("routine"), payload: {} });
  for (const path of ["/api/v1/runs", "/api/v1/dead-letters", "/api/v1/notifications", "/api/v1/deliveries"]) {
    await call("GET", `${path}?routine_id=${madeUp("routine")}&routine=${madeUp("routine")}`);
  }
  const lease = { authorization: "Bearer made-up" };
  const run = madeUp("run");
  expect((await call("POST", `/proxy/${run}/model/v1/messages`, {}, lease)).status).toBe(401);
  expect((await call("GET", `/runner/runs/${run}/link`, undefined, lease)).status).toBe(401);
  expect(await objects()).toEqual(before);
});

it("are asked for by the hundred, and leave as many objects as there were", async () => {
  const before = await objects();
  const asked = Array.from({ length: 300 }, (_, at) =>
    call(
      at % 2 === 0 ? "GET" : "DELETE",
      at % 2 === 0 ? `/api/v1/runs/${madeUp("run")}` : `/api/v1/routines/${madeUp("routine")}`,
    ),
  );
  expect(new Set((await Promise.all(asked)).map(({ status }) => status))).toEqual(new Set([404]));
  expect(await objects()).toEqual(before);
});

it("are not what a routine is taken for that the index has lost", async () => {
  const routine = await buildRoutine({ triggers: [{ type: "api" }] });
  const run = await fired(routine);
  // As in an isolate that has met neither.
  const other = partiesOf(env, null).knownRoutines;
  await vi.waitFor(async () =>
    expect(await env.ROSTER.getByName("instance").hasOwner(ownerKey(routine.id))).toBe(true),
  );
  await env.DB.prepare("DELETE FROM routines WHERE id = ?").bind(routine.id).run();
  expect(await other.has(run.run_id)).toBe(true);
  expect(await other.has(madeUp("run"))).toBe(false);
});

it.each([
  ["fails", () => Promise.reject(new Error("it is away"))],
  ["does not answer", () => new Promise<boolean>(() => undefined)],
])("are taken for a routine's while a register %s, so that a routine can be reached", async (_, hasOwner) => {
  const nobodys = { hasOwner: () => Promise.resolve(false) };
  expect(await new KnownRoutines([nobodys, { hasOwner }]).has(madeUp("run"))).toBe(true);
  expect(await new KnownRoutines([{ hasOwner }, nobodys]).has(madeUp("run"))).toBe(true);
  expect(await new KnownRoutines([nobodys, nobodys]).has(madeUp("run"))).toBe(false);
});

it("are not remembered as a routine's from a time in which a register did not answer", async () => {
  let isAway = true;
  const asked: string[] = [];
  const index = {
    hasOwner: (key: string) => {
      asked.push(key);
      return isAway ? Promise.reject(new Error("it is away")) : Promise.resolve(false);
    },
  };
  const there = madeUp("routine");
  const roster = { hasOwner: (key: string) => Promise.resolve(key === ownerKeyOf(there)) };
  const known = new KnownRoutines([index, roster]);
  const made = madeUp("run");
  expect([await known.has(made), await known.has(there)]).toEqual([true, true]);
  isAway = false;
  expect(await known.has(made)).toBe(false);
  // What the other register knows is: it is not asked for again.
  asked.length = 0;
  expect(await known.has(there)).toBe(true);
  expect(asked).toEqual([]);
});

it("push no more than twenty thousand routines out of memory, the longest unused first", async () => {
  const asked = new Set<string>();
  const register = { hasOwner: (key: string) => Promise.resolve(void asked.add(key) === undefined) };
  const known = new KnownRoutines([register]);
  const [first, second] = [madeUp("routine"), madeUp("routine")];
  for (const id of [first, second]) await known.has(id);
  for (let count = 2; count < 20_000; count += 1) known.add(madeUp("routine"));
  await known.has(first);
  known.add(madeUp("routine"));
  asked.clear();
  for (const id of [first, second]) await known.has(id);
  expect([...asked]).toEqual([ownerKeyOf(second)]);
});

function ownerKey(id: string): string {
  return ownerOf(id).name ?? "";
}

async function closeOf(socket: TestSocket): Promise<number | undefined> {
  await socket.until(() => socket.closed !== null);
  return socket.closed?.code;
}
