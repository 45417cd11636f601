/** The pages that are pictured: what has to be on the instance for them, and how each is opened. */
import { setTimeout as delay } from "node:timers/promises";
import type { Page } from "playwright-core";
import { z } from "zod";
import { pageSchema } from "#protocol/api.ts";
import { routineIdSchema } from "#protocol/ids.ts";
import { admissionSchema } from "#protocol/occurrence.ts";
import { routineSchema } from "#protocol/routine.ts";
import { runSchema } from "#protocol/run.ts";
import { type Call, callApi, outcomeOf } from "#scripts/instance/api.ts";
import type { Instance } from "#scripts/instance/start-instance.ts";
import { eventShots } from "./event-shots.ts";
import { INSTANCE_SETTINGS, INSTANCE_SHOTS } from "./instance-shots.ts";
import type { Shot } from "./shot.ts";
import { AUDIT, CHANGELOG, PUBLISH, READ_ME, RELEASE, routineOf, type Story, TRIAGE } from "./stories.ts";

const routinePage = pageSchema(z.object({ id: routineIdSchema }));
const RUN_DEADLINE_MS = 60_000;
const POLL_MS = 100;
const ISSUE = "Issue #41: parse() refuses “1 d”\n\nI expected white space between number and unit to be ignored.";

/** Pages of an instance that has nothing yet. */
export const EMPTY_SHOTS: Shot[] = [
  { name: "sign-in", isSignedIn: false, open: at("/", (page) => page.getByLabel("Owner token")) },
  { name: "home-empty", isSignedIn: true, open: at("/", (page) => page.getByText("No routines yet")) },
  { name: "routines-empty", isSignedIn: true, open: at("/routines", (page) => heading(page, "Routines")) },
  { name: "runs-empty", isSignedIn: true, open: at("/runs", (page) => page.getByText("Nothing has run yet")) },
  { name: "deliveries-empty", isSignedIn: true, open: at("/deliveries", (page) => heading(page, "Deliveries")) },
];

/** Takes the demo routines away. @returns the address of its repository. */
export async function clearInstance(instance: Instance, signal: AbortSignal): Promise<string> {
  const path = `/api/v1/routines/${instance.local.demo.routine_id}`;
  const { repositories } = await ask(instance, signal, { method: "GET", path, answer: routineSchema });
  const { data } = await ask(instance, signal, { method: "GET", path: "/api/v1/routines", answer: routinePage });
  for (const { id } of data) {
    await ask(instance, signal, { method: "DELETE", path: `/api/v1/routines/${id}`, answer: z.unknown() });
  }
  return repositories[0]?.url ?? "";
}

/** Makes routines and runs, and waits until each run is where it is pictured. */
export async function fillInstance({
  instance,
  upstream,
  begin,
  signal,
}: {
  instance: Instance;
  upstream: string;
  /** Lets the agent say what it is saying in the pictures. */
  begin: () => void;
  signal: AbortSignal;
}): Promise<Shot[]> {
  const make = (body: object) =>
    ask(instance, signal, { method: "POST", path: "/api/v1/routines", body, answer: routineSchema });
  const runNow = async (routine: string, text?: string) => {
    const body = text === undefined ? {} : { text };
    const path = `/api/v1/routines/${routine}/run`;
    const admitted = await ask(instance, signal, { method: "POST", path, body, answer: admissionSchema });
    return { routine, run: admitted.run_id, session: admitted.session_id };
  };
  const start = async (story: Story, text?: string) => runNow((await make(routineOf(story, upstream))).id, text);
  const untilRun = async (id: string, statuses: string[]) => {
    const deadline = Date.now() + RUN_DEADLINE_MS;
    const path = `/api/v1/runs/${id}`;
    for (;;) {
      const run = await ask(instance, signal, { method: "GET", path, answer: runSchema });
      if (statuses.includes(run.status)) return;
      if (Date.now() > deadline) throw new Error(`The run ${id} is ${run.status}, not ${statuses.join(" or ")}.`);
      await delay(POLL_MS, undefined, { signal });
    }
  };
  const weekly = await make({
    ...routineOf({ name: "Weekly report", prompt: "Sum up the week for people who were away.", replies: [] }, upstream),
    overlap: "queue_latest",
    tags: { team: "platform", env: "prod" },
  });
  await ask(instance, signal, {
    method: "POST",
    path: `/api/v1/routines/${weekly.id}/pause`,
    body: { reason: "Until the new quarter begins" },
    answer: routineSchema,
  });
  const ended = await start(READ_ME);
  const failed = await start(AUDIT);
  const idle = await start(CHANGELOG);
  await untilRun(ended.run, ["succeeded"]);
  await untilRun(failed.run, ["failed"]);
  await untilRun(idle.run, ["succeeded"]);
  const again = await runNow(ended.routine, "Before the release");
  // While a run is on, this routine skips what else comes: that leaves an occurrence of another kind.
  await runNow(ended.routine).catch(() => undefined);
  await untilRun(again.run, ["succeeded"]);
  const stopped = await runNow(ended.routine);
  await untilRun(stopped.run, ["running"]);
  const cancel = `/api/v1/runs/${stopped.run}/cancel`;
  await ask(instance, signal, { method: "POST", path: cancel, answer: runSchema });
  await untilRun(stopped.run, ["canceled"]);
  const running = await start(TRIAGE, ISSUE);
  await untilRun(running.run, ["running"]);
  const asking = await start(RELEASE);
  const pushing = await start(PUBLISH);
  await untilRun(asking.run, ["waiting"]);
  await untilRun(pushing.run, ["waiting"]);

  for (const [path, body] of INSTANCE_SETTINGS) {
    await ask(instance, signal, { method: "PUT", path, body, answer: z.unknown() });
  }

  const session = (id: string, text: string) => at(`/sessions/${id}`, (page) => page.getByText(text).last());
  const tab = (name: string) => async (page: Page) => {
    await at(`/routines/${ended.routine}`, (on) => on.getByRole("tab", { name }))(page);
    await page.getByRole("tab", { name }).click();
    await page.getByRole("tabpanel", { name }).waitFor();
  };
  const shots: Omit<Shot, "isSignedIn">[] = [
    { name: "home", open: at("/", (page) => page.getByRole("region", { name: "Last results" }).getByRole("link")) },
    { name: "runs", open: at("/runs", (page) => page.getByRole("list", { name: "runs" })) },
    ...(await eventShots((call) => ask(instance, signal, call), upstream)),
    { name: "routines", open: at("/routines", (page) => page.getByRole("link", { name: TRIAGE.name }).last()) },
    { name: "routine-new", open: at("/routines/new", (page) => page.getByRole("link", { name: "Docs sync" })) },
    {
      name: "routine-template",
      open: at("/routines/new?template=docs-sync", (page) => page.getByRole("table", { name: "Next times" })),
    },
    { name: "routine-edit", open: at(`/routines/${weekly.id}/edit`, (page) => heading(page, `Edit ${weekly.name}`)) },
    { name: "routine-runs", open: tab("Runs") },
    { name: "routine-activity", open: tab("Activity") },
    { name: "routine-definition", open: tab("Definition") },
    { name: "routine-empty", open: at(`/routines/${weekly.id}`, (page) => heading(page, weekly.name)) },
    {
      name: "run-with-text",
      open: async (page) => {
        await at(`/routines/${running.routine}`, (on) => heading(on, TRIAGE.name))(page);
        await page.getByRole("button", { name: "Run with text…" }).click();
        await page.getByLabel("Text for the agent").fill(ISSUE);
      },
    },
    {
      name: "session-running",
      open: async (page) => {
        await session(running.session, "where texts are taken apart")(page);
        await page.locator('[data-connection="live"]').waitFor();
      },
      meanwhile: { begin, ready: (page) => page.getByText("The smallest change is").first().waitFor() },
      next: {
        name: "session-cancel",
        open: async (page) => {
          await page.getByRole("button", { name: "Cancel run" }).click();
          await page.getByRole("button", { name: "Keep running" }).waitFor();
        },
      },
    },
    { name: "session-ended", open: session(ended.session, "ready for a review") },
    {
      name: "session-changes",
      open: async (page) => {
        await at(`/sessions/${ended.session}?view=changes`, (on) => on.getByRole("region", { name: "README.md" }))(
          page,
        );
        await page
          .getByRole("button", { name: /^Comment on line/ })
          .first()
          .click();
        await page.keyboard.type("Say first what the option is for.");
      },
    },
    {
      name: "session-events",
      open: at(`/sessions/${ended.session}?view=events`, (page) => page.getByRole("button", { name: /run\.queued/ })),
    },
    { name: "session-question", open: session(asking.session, "Yes, 1.3.0") },
    {
      name: "session-approval",
      open: at(`/sessions/${pushing.session}`, (page) => page.getByRole("button", { name: "Approve" })),
    },
    {
      name: "session-details",
      open: async (page) => {
        await session(ended.session, "ready for a review")(page);
        const closed = page.getByRole("button", { name: "Details", expanded: false });
        if (await closed.isVisible()) await closed.click();
        await page.getByRole("complementary", { name: "Details" }).waitFor();
      },
    },
    { name: "session-failed", open: session(failed.session, "credit balance") },
    ...INSTANCE_SHOTS.map(({ name, address, text }) => ({
      name,
      open: at(address, (page) => page.getByText(text)),
    })),
    { name: "routine-unknown", open: at("/routines/nothing", (page) => page.getByRole("heading")) },
  ];
  return shots.map((shot) => ({ ...shot, isSignedIn: true }));
}

/** Opens an address and waits for something on the page. */
function at(address: string, find: (page: Page) => ReturnType<Page["getByText"]>) {
  return async (page: Page): Promise<void> => {
    await page.goto(address);
    await find(page).first().waitFor();
  };
}

function heading(page: Page, name: string) {
  return page.getByRole("heading", { level: 1, name });
}

async function ask<Schema extends z.ZodType>(
  { origin, local }: Instance,
  signal: AbortSignal,
  call: Omit<Call<Schema>, "token">,
): Promise<z.infer<Schema>> {
  const answer = outcomeOf(
    `${call.method} ${call.path}`,
    await callApi(origin, { ...call, token: local.owner_token }, signal),
  );
  if (!answer.ok) throw new Error(answer.message);
  return answer.value;
}
