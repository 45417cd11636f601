/** What tests of keyed sessions share: a routine with a session for each `id` of its events, and what its runner is told. */
import { z } from "zod";
import type { Page } from "#protocol/api.ts";
import type { Delivery } from "#protocol/delivery.ts";
import type { Occurrence } from "#protocol/occurrence.ts";
import { buildRoutine, call, readRun } from "./api.ts";
import { type FakeRunner, type FakeWork, RUNNING } from "./fake-runner.ts";

const orderSchema = z.object({
  session_id: z.string(),
  task: z.string(),
  conversation: z.object({ resume: z.object({ files: z.array(z.object({ bytes: z.int() })) }).nullable() }),
});

let made = 0;

/** A routine with a session for each `id` of an event of its own name. */
export async function keyedRoutine(more: object = {}, trigger: object = {}) {
  made += 1;
  const name = `keyed.${made}`;
  const routine = await buildRoutine({
    session: "keyed",
    session_key: "{{event.id}}",
    triggers: [{ type: "event", name, ...trigger }, { type: "api" }],
    ...more,
  });
  const send = async (id: unknown, text = "something") => {
    const { body } = await call<Delivery>("POST", "/api/v1/events", { name, payload: { id, text } });
    return body.outcomes[0];
  };
  return { routine, send };
}

/** Oldest first. */
export async function occurrences({ id }: { id: string }): Promise<Occurrence[]> {
  return (await call<Page<Occurrence>>("GET", `/api/v1/routines/${id}/occurrences?limit=100`)).body.data.reverse();
}

export async function sessionOf(runId: string | null | undefined): Promise<string> {
  return (await readRun(runId ?? "")).session_id;
}

/** The work on the next run that is offered, on whose agent has begun. */
export async function nextWork(runner: FakeRunner, features = ["steer"]): Promise<FakeWork> {
  const one = await runner.work(await runner.accept(), features);
  await one.report(RUNNING);
  return one;
}

export function orderOf(one: FakeWork) {
  return orderSchema.parse(one.order);
}

export function brought({ link }: FakeWork): string[] {
  return link.messages.filter(({ type }) => type === "message").map(({ text }) => String(text));
}
