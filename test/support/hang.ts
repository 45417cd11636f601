/**
 * Troubles for tests in workerd: a party that hangs, fails, or whose answers come late or not at all, at a named call.
 * No time passes by itself: whoever waits for such a party waits until the test ends the trouble, or moves the clock.
 *
 *     using silent = hang(pool("request"));
 *     await silent.untilMet();      // somebody waits for the pool
 *     silent.end();                 // now it does what it was asked, and answers
 *
 * A fake runner needs none of this: it does nothing that it is not told.
 */
import { env } from "cloudflare:workers";
import type { PoolObject } from "#durable-objects/pool/pool-object.ts";
import type { RoutineObject } from "#durable-objects/routine/routine-object.ts";
import { ownerKeyOf } from "#protocol/ids.ts";
import * as classes from "#worker/index.ts";

export interface Trouble {
  /** How many calls have met it. */
  readonly met: number;
  /** Resolves when so many calls have met it. @throws Error when it ends before. */
  untilMet(count?: number): Promise<void>;
  /** Ends it: calls that wait go on, and the next ones meet nothing. Ending it twice is ending it once. */
  end(): void;
  [Symbol.dispose](): void;
}

/** What happens at a call. @param work does what was asked. @param ended resolves with the trouble. */
type Behavior = (work: () => unknown, ended: Promise<void>) => Promise<unknown>;

/** Where a trouble is put, as a function that puts it there. @returns what takes it away again. */
export type Party = (meet: (work: () => unknown) => unknown) => () => void;

// Those of the platform, whatever clock a test sets.
const { setTimeout: startTimer, clearTimeout: stopTimer } = globalThis;
const LONGER_THAN_ANY_TEST_MS = 600_000;
const LOOK_MS = 2;

/** Nothing is done and nothing answered before the trouble ends. */
export function hang(party: Party): Trouble {
  return trouble(party, async (work, ended) => {
    await held(ended);
    return work();
  });
}

/** Nothing is done, and an error is the answer. */
export function fail(party: Party, message = "out of order"): Trouble {
  return trouble(party, () => Promise.reject(new Error(message)));
}

/** It is done at once; the answer comes when the trouble ends. */
export function answerLate(party: Party): Trouble {
  return trouble(party, async (work, ended) => {
    const value = await work();
    await held(ended);
    return value;
  });
}

/** It is done, and an error is the answer, as when a connection breaks. */
export function loseAnswer(party: Party, message = "connection lost"): Trouble {
  return trouble(party, async (work) => {
    await work();
    throw new Error(message);
  });
}

/**
 * A method of a class, whose callers await it.
 * @param prototype of the class. @param isMeant tells the objects and calls that the trouble is for; all without it.
 */
export function method<Target extends object>(
  prototype: Target,
  name: keyof Target & string,
  isMeant: (object: Target, values: readonly unknown[]) => boolean = () => true,
): Party {
  return (meet) => {
    const original = Reflect.get(prototype, name) as (...values: unknown[]) => unknown;
    const troubled = function (this: Target, ...values: unknown[]): unknown {
      const work = () => original.apply(this, values);
      return isMeant(this, values) ? meet(work) : work();
    };
    Object.defineProperty(prototype, name, { value: troubled, configurable: true, writable: true });
    return () => Object.defineProperty(prototype, name, { value: original, configurable: true, writable: true });
  };
}

/** The party, for the first calls alone: those that come later meet nothing. */
export function first(count: number, party: Party): Party {
  return (meet) => {
    let left = count;
    return party((work) => {
      left -= 1;
      return left >= 0 ? meet(work) : work();
    });
  };
}

/** A method of the pools' objects. */
export function pool(name: keyof PoolObject & string): Party {
  return method(classes.PoolObject.prototype, name);
}

/** A method of the routines' objects. @param id something that the one meant owns; all are meant without it. */
export function routine(name: keyof RoutineObject & string, id?: string): Party {
  const nameOf = (object: unknown) => (object as { ctx: DurableObjectState }).ctx.id.name;
  return method(
    classes.RoutineObject.prototype,
    name,
    (object) => id === undefined || nameOf(object) === ownerKeyOf(id),
  );
}

/**
 * A routine's object is reset the first time that it is asked this, as at a deploy.
 * @param when before it has done it, or after: then what it has done stays, and its answer is lost.
 */
export function resetAt(name: keyof RoutineObject & string, when: "before" | "after"): Disposable {
  const prototype = classes.RoutineObject.prototype;
  const original = Reflect.get(prototype, name) as (...values: unknown[]) => unknown;
  let isReset = false;
  const resetting = async function (this: { ctx: DurableObjectState }, ...values: unknown[]): Promise<unknown> {
    if (isReset) return original.apply(this, values);
    isReset = true;
    if (when === "after") await original.apply(this, values);
    await this.ctx.storage.sync();
    return this.ctx.abort("Durable Object reset because its code was updated.");
  };
  Object.defineProperty(prototype, name, { value: resetting, configurable: true, writable: true });
  return {
    [Symbol.dispose]: () =>
      Object.defineProperty(prototype, name, { value: original, configurable: true, writable: true }),
  };
}

/** R2, at a method of its bucket. */
export function r2(name: "get" | "put" | "delete" | "list"): Party {
  return method(Object.getPrototypeOf(env.BODIES) as R2Bucket, name);
}

/** What R2 gives of an object that it has, at the reading of its body. @param key of any that is there. */
export async function r2Body(key: string, name: "text" | "arrayBuffer"): Promise<Party> {
  const found = await env.BODIES.get(key);
  if (found === null) throw new Error(`there is no ${key}`);
  await found.body.cancel();
  return method(Object.getPrototypeOf(found) as R2ObjectBody, name);
}

/** D1, for the statements whose text fits; a batch in which one fits is meant as a whole. */
export function d1(pattern: RegExp): Party {
  const textOf = (statement: unknown) => String(Reflect.get(statement as object, "statement"));
  const statements = Object.getPrototypeOf(env.DB.prepare("SELECT 1")) as D1PreparedStatement;
  const database = Object.getPrototypeOf(env.DB) as D1Database;
  const parties = [
    ...(["run", "all", "first", "raw"] as const).map((name) =>
      method(statements, name, (statement) => pattern.test(textOf(statement))),
    ),
    method(database, "batch", (_database, [batch]) => (batch as unknown[]).some((one) => pattern.test(textOf(one)))),
  ];
  return (meet) => {
    const ends = parties.map((party) => party(meet));
    return () => {
      for (const end of ends.reverse()) end();
    };
  };
}

function trouble(party: Party, behave: Behavior): Trouble {
  const ended = Promise.withResolvers<void>();
  let met = 0;
  let isOver = false;
  const takeAway = party((work) => {
    met += 1;
    return behave(work, ended.promise);
  });
  const end = () => {
    if (isOver) return;
    isOver = true;
    takeAway();
    ended.resolve();
  };
  return {
    get met() {
      return met;
    },
    // It looks by itself: woken by the party, the test would go on as that object, whose input and output are not its own.
    untilMet: async (count = 1) => {
      while (met < count) {
        if (isOver) throw new Error("the trouble has ended before it was met so often");
        await new Promise((resolve) => startTimer(resolve, LOOK_MS));
      }
    },
    end,
    [Symbol.dispose]: end,
  };
}

/** Waits without end: a timer is what the platform takes for a call that is still under way. */
async function held(ended: Promise<void>): Promise<void> {
  const timer = startTimer(() => undefined, LONGER_THAN_ANY_TEST_MS);
  await ended;
  stopTimer(timer);
}
