/** Live transcripts on both sides: who writes, who watches, and how they are brought together. */

import { admissionSchema } from "#protocol/occurrence.ts";
import { sessionSchema } from "#protocol/session.ts";
import { Helper } from "./helper.ts";
import type { Producer } from "./producer.ts";
import { eventsOf, type PushOrder, type PushReport, stampsOf } from "./push.ts";
import { ask, makeRoutine } from "./reveille.ts";
import type { Runner } from "./runner.ts";
import { type Served, serveBare, serveReveille } from "./served.ts";
import type { OpenReport, SeenReport, Viewers } from "./viewers.ts";

export interface LiveSide extends AsyncDisposable {
  served: Served;
  /** Opens viewers of each session. @param from whether they get what there is first. */
  watch(viewers: number, from: "start" | "end"): Promise<OpenReport>;
  /** Writes into all sessions; every viewer that is open has to see it all. */
  push(order: PushOrder): Promise<Pushed>;
  unwatch(): Promise<void>;
}

export interface Pushed extends PushReport {
  seen: SeenReport;
}

/** An instance with runs of one routine, each with a session, and a runner that works on them. */
export async function ourSide(sessionCount: number): Promise<LiveSide> {
  const stack = new AsyncDisposableStack();
  const served = stack.use(await serveReveille());
  const runner = stack.use(new Helper<Runner>("runner.ts"));
  const viewers = stack.use(new Helper<Viewers>("viewers.ts"));
  await runner.ask("join", { url: served.url, token: served.runnerToken });
  const { id } = await makeRoutine(served, { max_concurrent: 100 });
  const sessions: string[] = [];
  for (let count = 0; count < sessionCount; count += 1) {
    sessions.push((await ask(served, "POST", `/api/v1/routines/${id}/run`, admissionSchema)).session_id);
  }
  await runner.ask("working", { runs: sessionCount });
  return {
    served,
    watch: async (count, from) => {
      const [first = ""] = sessions;
      const { last_seq } = await ask(served, "GET", `/api/v1/sessions/${first}`, sessionSchema);
      // The same in all sessions: they have lived through the same.
      const after = from === "start" ? 0 : last_seq;
      const urls = sessions.map((session) => `${served.url}/api/v1/sessions/${session}/live?after=${after}`);
      const headers = { authorization: `Bearer ${served.ownerToken}` };
      return viewers.ask("open", { urls: repeat(urls, count), headers, acks: true, after, saysCaughtUp: true });
    },
    push: (order) => pushAndSee(runner, viewers, order),
    unwatch: () => viewers.ask("close"),
    [Symbol.asyncDispose]: async () => {
      await runner.ask("finish");
      await stack.disposeAsync();
    },
  };
}

/**
 * A bare object with so many sessions and their producers.
 * @param name of the object in bench/baseline: `live` takes and tells each event by itself, `live-batched` many at once.
 */
export async function bareSide(sessionCount: number, name: "live" | "live-batched"): Promise<LiveSide> {
  const stack = new AsyncDisposableStack();
  const served = stack.use(await serveBare(name));
  const producer = stack.use(new Helper<Producer>("producer.ts"));
  const viewers = stack.use(new Helper<Viewers>("viewers.ts"));
  const sessions = Array.from({ length: sessionCount }, (_, index) => `session_${String(index).padStart(26, "0")}`);
  let written = 0;
  const urls = sessions.map((session) => `${served.url}/push?session=${session}`);
  await producer.ask("join", { urls, batches: name !== "live" });
  return {
    served,
    watch: (count, from) => {
      const saysCaughtUp = from === "start";
      const after = saysCaughtUp ? 0 : written;
      const backlog = saysCaughtUp ? "&after=0" : "";
      const urls = sessions.map((session) => `${served.url}/live?session=${session}${backlog}`);
      return viewers.ask("open", { urls: repeat(urls, count), headers: {}, acks: false, after, saysCaughtUp });
    },
    push: (order) => {
      written += eventsOf(order);
      return pushAndSee(producer, viewers, order);
    },
    unwatch: () => viewers.ask("close"),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

async function pushAndSee(
  writer: { ask(name: "push", order: PushOrder): Promise<PushReport> },
  viewers: Helper<Viewers>,
  order: PushOrder,
): Promise<Pushed> {
  await viewers.ask("expect", { events: eventsOf(order), stamps: stampsOf(order) });
  const [pushed, seen] = await Promise.all([writer.ask("push", order), viewers.ask("seen")]);
  return { ...pushed, seen };
}

function repeat(urls: readonly string[], times: number): string[] {
  return urls.flatMap((url) => Array.from({ length: times }, () => url));
}
