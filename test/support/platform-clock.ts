/** The clock of the tests, and the platform's own beside it, which no test can set. */
import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { clockAhead } from "./clock-ahead.ts";

/** Further away than any moment of a test, and than any day on which the tests are run. */
const NEVER_MS = 100 * 365 * 86_400_000;

let isKept = false;

/**
 * Lets `Date` run ahead of the real clock, and keeps the platform's alarms out of tests that set the clock: an alarm that
 * is armed for a moment of theirs never rings by itself, whatever day it really is; `runDurableObjectAlarm` rings it.
 * Objects read back the moment that they armed.
 *
 * @param aheadMs milliseconds; 0 for the real time.
 */
export async function keepClock(aheadMs: number): Promise<void> {
  // One isolate runs many files.
  if (isKept) return;
  isKept = true;
  const started = clockAhead(aheadMs);
  const gate = env.GATE.get(env.GATE.newUniqueId());
  const { state, storage } = await runInDurableObject(gate, (_object, given) => ({
    state: Object.getPrototypeOf(given) as DurableObjectState,
    storage: Object.getPrototypeOf(given.storage) as DurableObjectStorage,
  }));
  const { setAlarm, getAlarm } = storage;
  storage.setAlarm = function (moment, options) {
    const isSetByTest = Date !== started;
    return setAlarm.call(this, Number(moment) - aheadMs + (isSetByTest ? NEVER_MS : 0), options);
  };
  storage.getAlarm = async function (options) {
    const armed = await getAlarm.call(this, options);
    if (armed === null) return null;
    return armed + aheadMs - (armed > NEVER_MS ? NEVER_MS : 0);
  };

  const { getWebSocketAutoResponseTimestamp } = state;
  state.getWebSocketAutoResponseTimestamp = function (socket) {
    const answered = getWebSocketAutoResponseTimestamp.call(this, socket);
    return answered === null ? null : new Date(answered.getTime() + aheadMs);
  };
}
