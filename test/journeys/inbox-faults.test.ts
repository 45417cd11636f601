/** A delivery is cut off at any step of its way, before the step has an effect or after it: then exactly one effect follows. */

import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Page } from "#protocol/api.ts";
import type { Occurrence } from "#protocol/occurrence.ts";
import { buildRoutine, call } from "#test/support/api.ts";
import { hourAfterAllDeliveries } from "#test/support/clock.ts";
import { pullRequest, readDelivery, someRepository } from "#test/support/deliver.ts";
import { fail, hang, type Party, routine as routineParty } from "#test/support/hang.ts";
import { asking, evictOwnerOf } from "#test/support/objects.ts";
import { deliveriesIn } from "#test/support/stores.ts";
import { makeDeliveryId } from "#worker/inbound/delivery-ids.ts";
import { Inbox, type InboxParts } from "#worker/inbound/inbox.ts";
import type { DeliveryStore, NewDelivery } from "#worker/store/deliveries.ts";
import { githubApp } from "#worker/store/github-app.ts";
import { matching } from "#worker/store/matching.ts";
import { repositoryNames } from "#worker/store/repository-names.ts";

const HOUR_MS = 3_600_000;
const whole = { deliveries: deliveriesIn(), matching: matching(env.DB) };

let startMs = 0;

beforeEach(() => {
  startMs = hourAfterAllDeliveries() + 600_000;
  vi.useFakeTimers({ toFake: ["Date"], now: startMs });
});
afterEach(() => {
  vi.useRealTimers();
});

function inbox(parts: Partial<InboxParts> = {}): Inbox {
  const rest = {
    githubApp: githubApp(env.DB),
    names: repositoryNames(env.DB),
    ownerOf: asking,
    baseUrl: "",
    pause: () => Promise.resolve(),
  };
  return new Inbox({ ...whole, ...rest, ...parts });
}

/** The same object, with one function that is cut off the first time. */
function cutAt<Part extends object>(part: Part, name: keyof Part, when: "before" | "after"): Part {
  let isCut = false;
  return new Proxy(part, {
    get(target, key) {
      const work = Reflect.get(target, key);
      if (key !== name || typeof work !== "function") return work;
      return async (...given: unknown[]) => {
        if (isCut) return Reflect.apply(work, target, given);
        isCut = true;
        if (when === "after") await Reflect.apply(work, target, given);
        throw new Error(`cut off ${when} ${String(name)}`);
      };
    },
  });
}

async function someDelivery(more: Partial<NewDelivery> = {}) {
  const repository = someRepository();
  const triggers = [{ type: "github", event: "pull_request", actions: ["opened"] }];
  const routine = await buildRoutine({ repositories: [{ url: repository.html_url }], triggers });
  const delivery: NewDelivery = {
    id: makeDeliveryId(Date.now()),
    source: "github",
    triggerId: null,
    providerId: crypto.randomUUID(),
    event: "pull_request",
    headers: {},
    body: bytesOf(JSON.stringify(pullRequest(repository))),
    ignored: null,
    ...more,
  };
  return { routine, repository, delivery };
}

function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(new TextEncoder().encode(text));
}

async function outcomesOf(routine: { id: string }): Promise<string[]> {
  const { body } = await call<Page<Occurrence>>("GET", `/api/v1/routines/${routine.id}/occurrences`);
  return body.data.map(({ outcome }) => outcome);
}

/** Minutes pass, with a sweep in each. */
async function sweepFor(minutes: number): Promise<void> {
  for (let minute = 0; minute < minutes; minute += 1) {
    vi.setSystemTime(Date.now() + 60_000);
    await inbox().sweep(Date.now());
  }
}

describe("a delivery that is cut off", () => {
  const steps: [string, (when: "before" | "after") => Partial<InboxParts>][] = [
    ["being taken up", (when) => ({ deliveries: cutAt(whole.deliveries, "claim", when) })],
    ["asking for its cause", (when) => ({ matching: cutAt(whole.matching, "causes", when) })],
    ["asking who waits", (when) => ({ matching: cutAt(whole.matching, "subscribers", when) })],
    ["its offer", (when) => ({ ownerOf: cutOffers(when) })],
    ["being finished", (when) => ({ deliveries: cutAt(whole.deliveries, "finish", when) })],
  ];
  const cases = steps.flatMap(([step, parts]) => (["before", "after"] as const).map((when) => ({ step, when, parts })));

  it.each(cases)("$when $step has one effect, and ends as handled", async ({ step, when, parts }) => {
    const { routine, delivery } = await someDelivery();
    await whole.deliveries.insert(delivery, Date.now());
    await inbox(parts(when)).drain();
    const isFinished = step === "being finished" && when === "after";
    expect((await readDelivery(delivery.id)).status).toBe(isFinished ? "handled" : "stored");
    await sweepFor(3);
    expect(await outcomesOf(routine)).toEqual(["started"]);
    expect(await readDelivery(delivery.id)).toMatchObject({ status: "handled", outcomes: [{ outcome: "started" }] });
  });

  it.each(["before", "after"] as const)(
    "%s its offer, with its object gone from memory, has one effect",
    async (when) => {
      const { routine, delivery } = await someDelivery();
      await whole.deliveries.insert(delivery, Date.now());
      await inbox({ ownerOf: cutOffers(when) }).drain();
      await evictOwnerOf(routine.id);
      await sweepFor(3);
      expect(await outcomesOf(routine)).toEqual(["started"]);
    },
  );

  const stores: [string, (when: "before" | "after") => DeliveryStore][] = [
    ["R2 has its body", (when) => deliveriesIn(cutAt(env.BODIES, "put", when))],
    ["D1 has its row", (when) => cutAt(whole.deliveries, "insert", when)],
  ];
  const storing = stores.flatMap(([step, store]) =>
    (["before", "after"] as const).map((when) => ({ step, when, store })),
  );

  it.each(storing)("$when $step comes again from its sender, and has one effect", async ({ when, store }) => {
    const large = pullRequest(someRepository());
    const { routine, repository, delivery } = await someDelivery();
    const body = bytesOf(JSON.stringify({ ...large, repository, padding: "x".repeat(600_000) }));
    await expect(store(when).insert({ ...delivery, body }, Date.now())).rejects.toThrow("cut off");
    const again = { ...delivery, id: makeDeliveryId(Date.now()), body };
    await whole.deliveries.insert(again, Date.now());
    await inbox().drain();
    await sweepFor(2);
    expect((await outcomesOf(routine)).filter((one) => one !== "duplicate")).toEqual(["started"]);
    const { status } = await readDelivery(again.id);
    expect(["handled", "duplicate"]).toContain(status);
  });
});

/** One object's offer fails once. */
function cutOffers(when: "before" | "after"): InboxParts["ownerOf"] {
  let isCut = false;
  return (id) => {
    const owner = asking(id);
    if (isCut) return owner;
    isCut = true;
    return cutAt(owner, "takeEvents", when);
  };
}

describe("a routine that can't be reached", () => {
  it("holds up no other, and hears of it once when it can", async () => {
    const { routine, repository, delivery } = await someDelivery();
    const triggers = [{ type: "github", event: "pull_request" }];
    const other = await buildRoutine({ repositories: [{ url: repository.html_url }], triggers });
    await whole.deliveries.insert(delivery, Date.now());
    const unreachable: InboxParts["ownerOf"] = (id) => {
      if (id === other.id) throw new Error("unreachable");
      return asking(id);
    };
    await inbox({ ownerOf: unreachable }).drain();
    expect(await outcomesOf(routine)).toEqual(["started"]);
    expect(await readDelivery(delivery.id)).toMatchObject({ status: "stored", note: expect.stringMatching(/again/) });
    await sweepFor(3);
    expect([await outcomesOf(routine), await outcomesOf(other)]).toEqual([["started"], ["started"]]);
    expect((await readDelivery(delivery.id)).status).toBe("handled");
  });

  it.each([
    ["hangs", hang],
    ["fails", (party: Party) => fail(party)],
  ])("holds up no other, when it %s while it is told whose a name was", async (_how, trouble) => {
    const [taken, other] = [await someDelivery(), await someDelivery()];
    await whole.deliveries.insert(taken.delivery, Date.now());
    await inbox().drain();
    const taker = pullRequest({ ...taken.repository, id: taken.repository.id + 700_000 });
    const body = bytesOf(JSON.stringify(taker));
    const second = { ...taken.delivery, id: makeDeliveryId(Date.now()), providerId: crypto.randomUUID(), body };
    for (const delivery of [second, other.delivery]) await whole.deliveries.insert(delivery, Date.now());

    vi.useFakeTimers({ toFake: ["Date", "setTimeout", "clearTimeout"], now: Date.now() });
    using sick = trouble(routineParty("learnRepositories", taken.routine.id));
    const drained = inbox().drain();
    await sick.untilMet();
    vi.advanceTimersByTime(10_000);
    await drained;
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() });
    expect(await outcomesOf(other.routine)).toEqual(["started"]);
    expect((await readDelivery(second.id)).status).toBe("stored");
    sick.end();
    await sweepFor(4);
    expect((await readDelivery(second.id)).status).toBe("handled");
    expect(await outcomesOf(taken.routine)).toEqual(["started"]);
  });

  it("for most of a day makes the delivery failed, for a person to replay", async () => {
    const { routine, delivery } = await someDelivery();
    await whole.deliveries.insert(delivery, Date.now());
    const unreachable = () => {
      throw new Error("unreachable");
    };
    let tries = 0;
    const counted = {
      ...whole.deliveries,
      claim: (limit: number, nowMs: number) => {
        tries += 1;
        return whole.deliveries.claim(limit, nowMs);
      },
    };
    for (let hour = 0; hour <= 24; hour += 1) {
      vi.setSystemTime(startMs + hour * HOUR_MS);
      await inbox({ ownerOf: unreachable, deliveries: counted }).sweep(Date.now());
    }
    expect(tries).toBeGreaterThan(20);
    expect(await readDelivery(delivery.id)).toMatchObject({ status: "failed", note: expect.stringMatching(/Replay/) });
    expect(await outcomesOf(routine)).toEqual([]);
    const replayed = await call("POST", `/api/v1/deliveries/${delivery.id}/replay`);
    expect(replayed).toMatchObject({ status: 200, body: { status: "handled" } });
    expect(await outcomesOf(routine)).toEqual(["started"]);
  });
});

describe("a delivery that ends whoever handles it", () => {
  it("comes alone after the second time, so that the others get through", async () => {
    const poison = await someDelivery({ headers: { poison: "yes" } });
    const others = [await someDelivery(), await someDelivery()];
    for (const { delivery } of [others[0], poison, others[1]].filter((one) => one !== undefined)) {
      await whole.deliveries.insert(delivery, Date.now());
    }
    const store: DeliveryStore = {
      ...whole.deliveries,
      claim: async (limit, nowMs) => {
        const claimed = await whole.deliveries.claim(limit, nowMs);
        if (claimed.some(({ headers }) => headers["poison"] === "yes")) throw new Error("the isolate is out of memory");
        return claimed;
      },
    };
    for (let minute = 0; minute < 20; minute += 1) {
      vi.setSystemTime(Date.now() + 60_000);
      await inbox({ deliveries: store }).sweep(Date.now());
    }
    for (const { routine } of others) expect(await outcomesOf(routine)).toEqual(["started"]);
    expect(await readDelivery(poison.delivery.id)).toMatchObject({ status: "stored" });
    // What ailed it is gone.
    vi.setSystemTime(Date.now() + 2 * HOUR_MS);
    await inbox().sweep(Date.now());
    expect(await outcomesOf(poison.routine)).toEqual(["started"]);
  });
});
