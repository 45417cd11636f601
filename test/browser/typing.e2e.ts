/** A person types while the agent writes: how long a key takes to be seen, beside what it takes when nothing comes. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import type { Page } from "playwright-core";
import { gatedBed } from "./support/bed.ts";
import { type PlayedRun, playRun, RUNNING, said } from "./support/played-run.ts";
import { openSession, transcript, untilConnection } from "./support/transcript.ts";
import { visit } from "./support/visitor.ts";

const WORDS = "Please look at the other file as well, and say what is different in it.";
const KEY_MS = 60;
const DELTAS_A_SECOND = 200;
/** Both are measured in one run, on one machine: what is left is the page's own work. */
const MOST_TIMES = 5;
/** Other work on the machine slows keys, too: the shortest of some rounds are the page's own. */
const MOST_ROUNDS = 3;

test("typing does not wait for what streams in", async (t) => {
  const bed = await gatedBed();
  const run = await playRun(t, bed, "Typing");
  await run.report([RUNNING, said({ type: "agent.message", message_id: "msg_1", text: "I begin." })]);
  await visit(t, bed, {}, async ({ page }) => {
    await openSession(page, run.sessionId);
    await untilConnection(page, "live");
    await watchKeys(page);
    await typed(page);
    let idle = Number.POSITIVE_INFINITY;
    let streaming = Number.POSITIVE_INFINITY;
    for (let round = 1; round <= MOST_ROUNDS && (round === 1 || streaming > MOST_TIMES * idle); round += 1) {
      const alone = await typed(page);
      const stream = writeOn(run, round);
      await transcript(page).getByText(`word 50 of ${round}`).first().waitFor();
      const beside = await typed(page);
      const written = await stream.stop();
      t.diagnostic(`idle: ${told(alone)}; with ${written} deltas: ${told(beside)}`);
      idle = Math.min(idle, median(alone));
      streaming = Math.min(streaming, median(beside));
    }
    assert.ok(
      streaming <= MOST_TIMES * idle,
      `a key takes ${streaming.toFixed()} ms while text comes, ${idle.toFixed()} ms otherwise`,
    );
    await run.finish("Written.");
  });
});

/** Types into the empty field. @returns for each key how long it took until it was painted, in milliseconds. */
async function typed(page: Page): Promise<number[]> {
  const field = page.getByRole("textbox", { name: "Message to the agent" });
  await field.fill("");
  await field.focus();
  await page.evaluate(() => window.keyTimes.splice(0));
  for (const key of WORDS) await page.keyboard.type(key, { delay: KEY_MS });
  await page.waitForFunction((keys) => window.keyTimes.length >= keys, WORDS.length);
  assert.equal(await field.inputValue(), WORDS);
  return await page.evaluate(() => window.keyTimes.slice());
}

/** From when the key was pressed to when the frame with it was done. */
async function watchKeys(page: Page): Promise<void> {
  await page.evaluate(() => {
    window.keyTimes = [];
    addEventListener(
      "keydown",
      ({ timeStamp }) =>
        requestAnimationFrame(() => {
          const painted = new MessageChannel();
          painted.port1.onmessage = () => window.keyTimes.push(performance.now() - timeStamp);
          painted.port2.postMessage(null);
        }),
      true,
    );
  });
}

/** Writes one message on and on, another in each round. */
function writeOn(run: PlayedRun, round: number) {
  const begun = performance.now();
  let written = 0;
  let isOn = true;
  const going = (async () => {
    while (isOn) {
      const due = ((performance.now() - begun) / 1_000) * DELTAS_A_SECOND;
      for (; written < due; written += 1) {
        const word = `word ${written} of ${round}`;
        run.write(`msg_${round + 1}`, written % 40 === 39 ? `**${word}**.\n\n` : `${word} `);
      }
      await delay(1_000 / DELTAS_A_SECOND);
    }
  })();
  return {
    stop: async () => {
      isOn = false;
      await going;
      return written;
    },
  };
}

function median(times: readonly number[]): number {
  return times.toSorted((one, other) => one - other)[Math.floor(times.length / 2)] ?? 0;
}

function told(times: readonly number[]): string {
  const worst = Math.max(...times);
  return `median ${median(times).toFixed(1)} ms, worst ${worst.toFixed(1)} ms of ${times.length} keys`;
}

declare global {
  interface Window {
    keyTimes: number[];
  }
}
