/** What a runner answers its pool: taken or declined, leaving, alive; and what it does when its id is taken. */
import { afterEach, beforeEach, expect, it } from "vitest";
import { RUNNER_CLOSE, type RunnerToPool } from "#protocol/runner-link.ts";
import { type Answer, PoolLink } from "#sandbox-runner/runner/pool-link.ts";
import { FakeInstance, RUNNER_TOKEN } from "./support/fake-instance.ts";
import { until } from "./support/until.ts";

const LEASE = { run_id: "run_0ABCDEFGHJKMNPQRSTVWXYZ012", generation: 1 };
const OFFER = { type: "offer", lease: LEASE, link_token: "link", proxy_token: "proxy" } as const;

let instance: FakeInstance;
let link: PoolLink;
let answer: Answer;
const seen: string[] = [];

beforeEach(async () => {
  seen.length = 0;
  answer = "taken";
  instance = await FakeInstance.start({
    modelUrl: "http://none.invalid",
    gitUrl: "http://none.invalid",
    gitCredential: "",
  });
});

afterEach(async () => {
  await link.close();
  await instance.vanish();
});

function join(): void {
  link = new PoolLink({
    instanceUrl: instance.url,
    token: RUNNER_TOKEN,
    runnerId: "alice",
    boot: "boot-of-alice-1",
    capacity: 1,
    leases: () => [],
    onRegistered: () => seen.push("registered"),
    onOffer: () => answer,
    onStop: ({ run_id }) => seen.push(`stop ${run_id}`),
    onKill: ({ run_id }) => seen.push(`kill ${run_id}`),
    onDown: (why) => seen.push(`down: ${why}`),
    onRefused: ({ cause, why }) => seen.push(`refused ${cause}: ${why}`) > 0,
  });
}

const registered = (count: number) =>
  until(`registration ${count}`, () => seen.filter((what) => what === "registered").length === count);
const heard = (type: RunnerToPool["type"]) => instance.heard.filter((message) => message.type === type);

it("takes an offer, or says why it does not", async () => {
  join();
  await registered(1);
  for (const next of ["taken", "full", "draining"] as const) {
    answer = next;
    instance.say(OFFER);
    await until(
      "an answer",
      () => heard("accept").length + heard("decline").length > ["taken", "full", "draining"].indexOf(next),
    );
  }
  expect(instance.heard.slice(1)).toEqual([
    { type: "accept", lease: LEASE },
    { type: "decline", lease: LEASE, why: "full" },
    { type: "decline", lease: LEASE, why: "draining" },
  ]);
});

it("answers a probe, and passes a stop and a kill on", async () => {
  join();
  await registered(1);
  instance.say({ type: "probe" });
  instance.say({ type: "stop", lease: LEASE });
  instance.say({ type: "kill", lease: LEASE });
  await until("the answer", () => heard("alive").length === 1 && seen.length === 3);
  expect(seen.slice(1)).toEqual([`stop ${LEASE.run_id}`, `kill ${LEASE.run_id}`]);
});

it("says that it is leaving, and says so again when it has come back", async () => {
  join();
  link.drain();
  await registered(1);
  await until("it says so", () => heard("draining").length === 1);
  instance.cutPool();
  await registered(2);
  await until("it says so again", () => heard("draining").length === 2);
});

it("whose id is taken says so, waits, and comes in when it is free", async () => {
  instance.refuses = RUNNER_CLOSE.taken;
  join();
  await until("it has heard", () => seen.length > 0);
  expect(seen).toEqual([`down: close code ${RUNNER_CLOSE.taken} as the test wants it`]);
  instance.refuses = null;
  await registered(1);
  expect(heard("register")).toHaveLength(2);
});
