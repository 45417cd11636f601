/** A sender's first try fails, because nothing can be stored; its retry, in its own time, is taken in and wakes once. */
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { buildRoutine, call } from "#test/support/api.ts";
import { occurrencesOf } from "#test/support/clock.ts";
import { post } from "#test/support/deliver.ts";
import { d1, fail, r2 } from "#test/support/hang.ts";
import { endpointTrigger } from "#test/worker/listeners/endpoint-trigger.ts";
import { grafanaCases } from "#test/worker/listeners/grafana-case.ts";
import type { ListenerCase } from "#test/worker/listeners/listener-case.ts";
import { bytesOf } from "#test/worker/listeners/signing.ts";
import { slackCase } from "#test/worker/listeners/slack-case.ts";
import { stripeCase } from "#test/worker/listeners/stripe-case.ts";

const MINUTE_S = 60;
const HOUR_S = 60 * MINUTE_S;

beforeEach(() => {
  for (const level of ["warn", "error"] as const) vi.spyOn(console, level).mockImplementation(() => {});
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() });
});
afterEach(() => void vi.useRealTimers());

function passSeconds(seconds: number): void {
  vi.setSystemTime(Date.now() + seconds * 1_000);
}

async function sourceOf(tested: ListenerCase) {
  const routine = await buildRoutine({ triggers: [endpointTrigger(tested)] });
  const trigger = routine.triggers[0]?.id;
  const secret = tested.secrets[0];
  const path = `/api/v1/routines/${routine.id}/triggers/${trigger}/secret`;
  expect((await call("POST", path, { secret })).status).toBe(201);
  const { onRetry } = tested.sends;
  if ("doesNotExist" in onRetry) return expect.unreachable();
  const body = onRetry.body(Date.now());
  /** A try, as the source signs it at this moment. */
  const sign = async () => ({ ...onRetry.headers, ...(await tested.sign(bytesOf(body), secret, Date.now())) });
  const send = async (headers: Record<string, string>) =>
    (await post(`/webhooks/${tested.listener.source}/${trigger}`, body, headers)).status;
  const outcomes = async () => (await occurrencesOf(routine.id)).map(({ outcome }) => outcome).sort();
  return { sign, send, outcomes };
}

/** Neither D1 nor R2 takes anything in. */
async function whileNothingIsStored(work: () => Promise<number>): Promise<number> {
  using _index = fail(d1(/INSERT INTO deliveries/), "D1_ERROR: Network connection lost.");
  using _bucket = fail(r2("put"));
  return await work();
}

const [grafanaCase = expect.unreachable()] = grafanaCases;

/** How long after the try before it each comes, as the source documents it; Grafana's are for its settings to say. */
describe.each<[string, ListenerCase, number[]]>([
  ["Slack", slackCase, [1, MINUTE_S, 5 * MINUTE_S]],
  ["Grafana", grafanaCase, [30, 5 * MINUTE_S, 4 * HOUR_S]],
  ["Stripe", stripeCase, [MINUTE_S, HOUR_S, 12 * HOUR_S]],
])("what %s sends while nothing can be stored", (_source, tested, [first = 0, second = 0, third = 0]) => {
  it("wakes with the retry that comes when it can, and with no other", async () => {
    const { sign, send, outcomes } = await sourceOf(tested);
    const retry = async () => send(await sign());
    expect(await whileNothingIsStored(retry)).toBe(503);
    passSeconds(first);
    expect(await whileNothingIsStored(retry)).toBe(503);
    expect(await outcomes()).toEqual([]);
    passSeconds(second);
    expect(await retry()).toBe(202);
    await vi.waitFor(async () => expect(await outcomes()).toEqual(["started"]));
    // The answer was lost.
    passSeconds(third);
    expect(await retry()).toBe(202);
    await vi.waitFor(async () => expect(await outcomes()).toEqual(["duplicate", "started"]));
  });

  it("wakes with the very same request too, up to five minutes after it was signed", async () => {
    const { sign, send, outcomes } = await sourceOf(tested);
    const headers = await sign();
    expect(await whileNothingIsStored(() => send(headers))).toBe(503);
    passSeconds(5 * MINUTE_S - 2);
    expect(await send(headers)).toBe(202);
    await vi.waitFor(async () => expect(await outcomes()).toEqual(["started"]));
    passSeconds(4);
    expect(await send(headers)).toBe(401);
  });
});
