/** What happens on an instance before its state is kept, over the parts of the API that every version has or refuses. */
import { setTimeout as delay } from "node:timers/promises";
import { z } from "zod";
import type { Kept, Shown } from "./shown.ts";

interface Story {
  /** The instance's address. */
  origin: string;
  ownerToken: string;
}

const SETTLE_DEADLINE_MS = 120_000;
const POLL_MS = 250;

const idSchema = z.object({ id: z.string() });
const pageSchema = z.object({
  data: z.array(
    z.object({
      id: z.string(),
      routine_id: z.string(),
      session_id: z.string(),
      status: z.string(),
      evidence: z.object({ model_calls: z.number().optional() }).optional(),
    }),
  ),
});
const eventsSchema = z.object({ data: z.array(z.object({ type: z.string() })) });
const withTriggersSchema = z.object({
  triggers: z.array(z.object({ id: z.string(), type: z.string(), endpoint: z.object({ url: z.string() }).nullish() })),
});

export async function playStory(story: Story): Promise<Shown> {
  const cookie = await signIn(story);
  const [demo] = z
    .object({ data: z.array(idSchema) })
    .parse(await ask(story, "GET", "/api/v1/routines"))
    .data.slice(-1);
  if (demo === undefined) throw new Error("there is no demo routine");
  const watched = await makeWatched(story);
  const paused = await makeRoutine(story, { name: "Paused", triggers: [{ type: "api" }] });
  const deleted = await makeRoutine(story, { name: "Deleted", triggers: [{ type: "api" }] });
  const busy = await makeRoutine(story, { name: "Busy", max_concurrent: 1, triggers: [{ type: "api" }] });
  const connected = await makeConnected(story);
  const gated = await makeGated(story);

  await ask(story, "POST", `/api/v1/routines/${demo.id}/run`);
  await fire(story, watched, { "idempotency-key": "deploy-7" });
  await fire(story, deleted);
  const webhook = await deliver(story, watched.id);
  // A gate that can't be asked is asked again for minutes: what came waits for it when the instance ends.
  if (gated["gated"] !== undefined) await deliver(story, gated["gated"].id);
  await settled(story);
  if (await hasSessions(story, watched.id)) {
    await goOn(story, demo.id);
    await settled(story);
  }
  await ask(story, "POST", `/api/v1/routines/${paused.id}/pause`, { reason: "Not this week." });
  await ask(story, "DELETE", `/api/v1/routines/${deleted.id}`);
  const { answers, transcripts } = await look(story, [demo.id, watched.id, paused.id]);

  // What the end of the instance comes upon: a run that is on and has asked the model, and two that wait for its place.
  for (let fired = 0; fired < 3; fired += 1) await fire(story, busy);
  await until(async () => (await runsOf(story)).some(isAtWork));
  const routines = { demo: { id: demo.id, token: null }, watched, paused, deleted, busy, ...connected, ...gated };
  return { at: new Date().toISOString(), cookie, routines, webhook, answers, transcripts };
}

async function signIn({ origin, ownerToken }: Story): Promise<string> {
  const body = JSON.stringify({ token: ownerToken });
  const headers = { "content-type": "application/json" };
  const response = await fetch(`${origin}/api/v1/sign-in`, { method: "POST", headers, body });
  const [cookie] = response.headers.getSetCookie();
  if (cookie === undefined) throw new Error(`signing in was answered ${response.status}`);
  return cookie.split(";", 1)[0] ?? "";
}

/** With what wakes a routine, as far as the version knows it. */
async function makeWatched(story: Story): Promise<Kept> {
  const triggers = [{ type: "api" }, { type: "schedule", cron: "0 10 1 1 *" }, { type: "webhook", source: "generic" }];
  try {
    return await makeRoutine(story, { name: "Watched", triggers });
  } catch {
    return await makeRoutine(story, { name: "Watched", triggers: triggers.slice(0, 1) });
  }
}

/** One that looks at a connector whose server is not there. @returns nothing where there are no connectors. */
async function makeConnected(story: Story): Promise<Record<string, Kept>> {
  try {
    await ask(story, "POST", "/api/v1/connectors", { name: "away", url: "https://mcp.reveille.invalid/mcp" });
  } catch {
    return {};
  }
  const watch = { type: "watch", connector: "away", tool: "list_issues", every: "5m" };
  const keyed = { session: "keyed", session_key: "{{watch.key}}" };
  const input = { name: "Connected", connectors: ["away"], ...keyed, triggers: [{ type: "api" }, watch] };
  return { connected: await makeRoutine(story, input) };
}

/** One that asks that connector before it wakes. @returns nothing where there are no gates. */
async function makeGated(story: Story): Promise<Record<string, Kept>> {
  const gate = { connector: "away", tool: "list_issues", when: "count > 0" };
  const triggers = [{ type: "api" }, { type: "webhook", source: "generic" }];
  try {
    return { gated: await makeRoutine(story, { name: "Gated", connectors: ["away"], gate, triggers }) };
  } catch {
    return {};
  }
}

async function makeRoutine(story: Story, input: Record<string, unknown>): Promise<Kept> {
  const prompt = `Do the work of "${input["name"]}".`;
  const { id } = idSchema.parse(await ask(story, "POST", "/api/v1/routines", { prompt, ...input }));
  const { token } = z.object({ token: z.string() }).parse(await ask(story, "POST", `/api/v1/routines/${id}/token`));
  return { id, token };
}

async function fire({ origin }: Story, { id, token }: Kept, headers: Record<string, string> = {}): Promise<void> {
  await ask(
    { origin, ownerToken: token ?? "" },
    "POST",
    `/v1/claude_code/routines/${id}/fire`,
    { text: "Go." },
    headers,
  );
}

/** One delivery to the routine's webhook. @returns null where there is none. */
async function deliver(story: Story, routineId: string): Promise<Shown["webhook"]> {
  const { triggers } = withTriggersSchema.parse(await ask(story, "GET", `/api/v1/routines/${routineId}`));
  const trigger = triggers.find(({ type }) => type === "webhook");
  if (!trigger?.endpoint) return null;
  const made = await ask(story, "POST", `/api/v1/routines/${routineId}/triggers/${trigger.id}/secret`);
  const { secret } = z.object({ secret: z.string() }).parse(made);
  const { pathname } = new URL(trigger.endpoint.url);
  await ask(
    { ...story, ownerToken: secret },
    "POST",
    pathname,
    { type: "deploy.finished" },
    { "idempotency-key": "d-8" },
  );
  return { path: pathname, secret };
}

/** Whether the version keeps notes, and with them conversations. It has one note afterwards. */
async function hasSessions(story: Story, routineId: string): Promise<boolean> {
  try {
    await ask(story, "PUT", `/api/v1/routines/${routineId}/notes/where-it-stands`, { text: "Seven are done." });
    return true;
  } catch {
    return false;
  }
}

/** A message to a session that has ended: another run, in the conversation that was kept. */
async function goOn(story: Story, routineId: string): Promise<void> {
  const [run] = (await runsOf(story)).filter(({ routine_id }) => routine_id === routineId);
  if (run === undefined) throw new Error("the demo routine has no run");
  await ask(story, "POST", `/api/v1/sessions/${run.session_id}/messages`, { text: "And once more." });
  await until(async () => (await runsOf(story)).filter(({ session_id: id }) => id === run.session_id).length === 2);
}

async function settled(story: Story): Promise<void> {
  // What wakes what takes its time: twice the same, and nothing on.
  let before = -1;
  await until(async () => {
    const runs = await runsOf(story);
    const isQuiet = runs.every(({ status }) => !["queued", "starting", "running"].includes(status));
    const isSame = runs.length === before;
    before = runs.length;
    return isQuiet && isSame && runs.length > 2;
  });
}

async function look(story: Story, routines: string[]): Promise<Pick<Shown, "answers" | "transcripts">> {
  const runs = await runsOf(story);
  const paths = [
    "/api/v1/routines",
    "/api/v1/runs",
    "/api/v1/deliveries",
    "/api/v1/connectors",
    ...routines.flatMap((id) => [
      `/api/v1/routines/${id}`,
      `/api/v1/routines/${id}/occurrences`,
      `/api/v1/routines/${id}/notes`,
    ]),
    ...runs.map(({ id }) => `/api/v1/runs/${id}`),
  ];
  const answers: Shown["answers"] = {};
  const transcripts: Shown["transcripts"] = {};
  for (const path of paths) {
    try {
      answers[path] = await ask(story, "GET", path);
    } catch {
      // This version does not have it, or it went with the routine that was deleted.
    }
  }
  for (const { id, session_id } of runs.filter(({ id }) => answers[`/api/v1/runs/${id}`] !== undefined)) {
    const page = eventsSchema.parse(await ask(story, "GET", `/api/v1/sessions/${session_id}/events`));
    transcripts[session_id] = page.data.map(({ type }) => type);
    if (transcripts[session_id].length === 0) throw new Error(`${id} has no transcript`);
  }
  return { answers, transcripts };
}

/** Of a version that does not count calls of the model: whether it is on. */
function isAtWork({ status, evidence }: z.infer<typeof pageSchema>["data"][number]): boolean {
  return status === "running" && evidence?.model_calls !== 0;
}

async function runsOf(story: Story) {
  return pageSchema.parse(await ask(story, "GET", "/api/v1/runs")).data;
}

async function until(isSo: () => Promise<boolean>): Promise<void> {
  const late = AbortSignal.timeout(SETTLE_DEADLINE_MS);
  while (!(await isSo())) {
    if (late.aborted) throw new Error("the runs did not get so far in time");
    await delay(POLL_MS);
  }
}

/** @throws Error on anything but a 2xx. */
async function ask(
  { origin, ownerToken }: Story,
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<unknown> {
  const response = await fetch(`${origin}${path}`, {
    method,
    headers: { authorization: `Bearer ${ownerToken}`, "content-type": "application/json", ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
  return text === "" ? null : JSON.parse(text);
}
