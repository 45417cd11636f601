/** Containers that are kept warm: what they reach while they wait, and that each works on one run, whatever happens meanwhile. */
import assert from "node:assert/strict";
import { after, afterEach, before } from "node:test";
import { poolSchema } from "#protocol/pool.ts";
import { until } from "#test/scripts/support/until.ts";
import { Bed, LONG_MS } from "./support/bed.ts";
import { containerTest, killContainer, NO_ENGINE, outputOf } from "./support/engine.ts";

const POOL = "/api/v1/pools/default";
/** What a program in the container gets of the instance, of hosts that are allowed, and of the port at which the brief is brought. */
const TRIES = `
const told = async (url, init) => {
  try {
    const answer = await fetch(url, { ...init, redirect: "manual", signal: AbortSignal.timeout(5000) });
    return [url, answer.status, answer.headers.get("x-deny-reason")];
  } catch (error) {
    return [url, String(error.cause?.code ?? error.name), null];
  }
};
const urls = ["healthz", "api/v1/pools", "runner/pool", "runner/runs/RUN/link", "proxy/RUN/model/v1/messages"];
const answers = [
  ...urls.map((path) => told("http://reveille.internal/" + path)),
  told("http://nodejs.org/"),
  told("http://169.254.169.254/latest/meta-data"),
  told("http://127.0.0.1:8080/ready"),
  told("http://127.0.0.1:8080/brief", { method: "POST", body: "{}", headers: { authorization: "Bearer guessed" } }),
];
console.log("answers:" + JSON.stringify(await Promise.all(answers)));
`;

let bed: Bed;
before(async () => {
  if (NO_ENGINE === null) bed = await Bed.start(2);
});
after(async () => await bed?.stop());
afterEach(async () => {
  await keepWarm(0);
  await bed?.cancelAll();
  await bed?.untilNoneWorks();
});

function keepWarm(containers: number) {
  const warm = { containers, hours_per_month: 10 };
  return bed.ask({ method: "PATCH", path: POOL, body: { warm }, answer: poolSchema });
}

async function untilReady(): Promise<void> {
  await until("a container that waits", LONG_MS, async () => {
    const { warm } = await bed.ask({ method: "GET", path: POOL, answer: poolSchema });
    return warm?.ready === 1;
  });
}

/** What a program in the container that waits is told. */
async function answers(): Promise<[url: string, status: number | string, reason: string | null][]> {
  const output = await outputOf(await bed.theContainer(), ["node", "--input-type=module", "--eval", TRIES]);
  return JSON.parse(/answers:(\[.*\])/.exec(output)?.[1] ?? "[]");
}

/** Right after a worker has been replaced nothing is answered at all, until the container's object looks after it. */
async function isShutIn(): Promise<void> {
  await until("the answers of its way out", LONG_MS, async () => {
    const told = await answers();
    assert.equal(told.length, 9, JSON.stringify(told));
    for (const [url, status, reason] of told) {
      const refused = url.startsWith("http://127.") ? [401, null] : [403, "host_not_allowed"];
      const expected = status === "ECONNRESET" ? ["ECONNRESET", null] : refused;
      assert.deepEqual([url, status, reason], [url, ...expected]);
    }
    return told.every(([, status]) => status !== "ECONNRESET");
  });
}

async function isOn(id: string): Promise<boolean> {
  return (await bed.containers()).some((one) => one.id === id && one.state === "running");
}

/** A run that is worked on in the container that waits now. */
async function worksIn(waiting: string): Promise<void> {
  const script = bed.model.write(["echo one"], 0);
  const id = await bed.begin(script);
  await bed.untilHeld(script, id);
  assert.match((await bed.run(id)).runner?.id ?? "", /^warm-/);
  assert.ok(await isOn(waiting));
  script.release();
  const run = await bed.settled(id);
  assert.equal(run.status, "succeeded", JSON.stringify(run.error));
  assert.equal(run.attempt, 1);
  await until("the time of the container", LONG_MS, async () => (await bed.run(id)).usage.containers?.[0]?.seconds);
  // It works on one run alone.
  await until("its end", LONG_MS, async () => !(await isOn(waiting)));
}

containerTest("a container that waits reaches nothing, and then works on one run", async () => {
  await keepWarm(1);
  await untilReady();
  await isShutIn();
  await worksIn((await bed.theContainer()).id);
});

containerTest(
  "the worker is replaced while a container waits: it still reaches nothing, and gets the next run",
  async () => {
    await keepWarm(1);
    await untilReady();
    const { id } = await bed.theContainer();
    bed.signal("worker-host.ts", "SIGHUP");
    await until("the new worker", LONG_MS, () => bed.log().includes("worker replaced"));
    await untilReady();
    await isShutIn();
    await worksIn(id);
  },
);

containerTest("a container that waits is killed: another is started, and gets the next run", async () => {
  await keepWarm(1);
  await untilReady();
  const killed = await bed.theContainer();
  await killContainer(killed);
  await until("its end", LONG_MS, async () => !(await isOn(killed.id)));
  await untilReady();
  await worksIn((await bed.theContainer()).id);
});
