/** Routines with a gate, for tests in workerd: their connector's server is the test's own, and says what the test wants. */
import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { afterEach, beforeEach, expect, vi } from "vitest";
import type { Page } from "#protocol/api.ts";
import type { Delivery } from "#protocol/delivery.ts";
import type { Routine } from "#protocol/routine.ts";
import type { Run } from "#protocol/run.ts";
import { buildRoutine, call } from "./api.ts";
import { countsOf, passTo } from "./clock.ts";
import { FakeMcp, MCP_URL } from "./fake-mcp.ts";
import { ownerOf } from "./objects.ts";

export const NINE = Date.parse("2031-11-23T09:00:00.000Z");
export const OPEN = () => said([{ id: "A" }]);
export const CLOSED = () => said([]);
export const DOWN = () => ({ isError: true, content: [{ type: "text", text: "rate limited" }] });

/** The connector's server, and what it says; begun anew with each test. */
export const bed = {
  server: new FakeMcp(),
  /** Of the gate's tool. */
  answer: OPEN as () => object | Promise<object>,
  /** How often that was called. */
  asks: 0,
  /** What a watch sees. */
  watched: [] as object[],
};

function said(issues: object[]): object {
  return { content: [{ type: "text", text: JSON.stringify({ issues }) }] };
}

/** Called once by each file: the clock stands at nine. */
export function useGates(): void {
  beforeEach(async () => {
    vi.useFakeTimers({ toFake: ["Date"], now: NINE });
    Object.assign(bed, { server: new FakeMcp(), answer: OPEN, asks: 0, watched: [] });
    bed.server.instead = async (_request, { id, method, params }) => {
      if (method !== "tools/call") return null;
      if (params?.name === "watched") return Response.json({ jsonrpc: "2.0", id, result: said(bed.watched) });
      bed.asks += 1;
      return Response.json({ jsonrpc: "2.0", id, result: await bed.answer() });
    };
    vi.spyOn(globalThis, "fetch").mockImplementation(async (input, init) => {
      const request = new Request(input, init);
      const body = new Uint8Array(await request.arrayBuffer());
      const { method, url, headers } = request;
      return bed.server.answer({ method, url, headers, body, text: new TextDecoder().decode(body) });
    });
    await call("POST", "/api/v1/connectors", { name: "linear", url: MCP_URL });
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.restoreAllMocks();
  });
}

export const GATE = { connector: "linear", tool: "list_issues", arguments: { state: "triage" }, when: "count > 0" };
let names = 0;

/** A routine that an event of its own name wakes. */
export async function gated(more: object = {}) {
  names += 1;
  const event = `gate.${names}`;
  const triggers = [{ type: "event", name: event }, { type: "api" }];
  const routine = await buildRoutine({ connectors: ["linear"], gate: GATE, max_concurrent: 1, triggers, ...more });
  return { ...routine, event };
}

export async function send(event: string, dedupe_key: string): Promise<Delivery> {
  const { body } = await call<Delivery>("POST", "/api/v1/events", { name: event, dedupe_key });
  return body;
}

export async function read(id: string): Promise<Routine> {
  return (await call<Routine>("GET", `/api/v1/routines/${id}`)).body;
}

export async function runsOf(id: string): Promise<Run[]> {
  return (await call<Page<Run>>("GET", `/api/v1/routines/${id}/runs?limit=100`)).body.data;
}

export async function patch(id: string, change: object): Promise<void> {
  expect((await call("PATCH", `/api/v1/routines/${id}`, change)).status).toBe(200);
}

export const untilCounted = (id: string, counts: Record<string, number>) =>
  vi.waitFor(async () => expect(await countsOf(id)).toEqual(counts), 20_000);

export const untilFailed = (id: string, failures: number) =>
  vi.waitFor(async () => expect((await read(id)).gate_state?.failures).toBe(failures), 20_000);

/** Seconds after nine. */
export async function alarmAt(id: string, seconds: number): Promise<void> {
  passTo(new Date(NINE + seconds * 1_000).toISOString());
  await runDurableObjectAlarm(ownerOf(id));
}

/** The object is reset in the midst of its work, as at a deploy. */
export async function restart(id: string): Promise<void> {
  const stopped = runInDurableObject(ownerOf(id), async (_object, state) => {
    await state.storage.sync();
    state.abort("Durable Object reset because its code was updated.");
  });
  await stopped.catch(() => undefined);
}
