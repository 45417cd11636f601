/** A session of 20,000 events: it opens at its end, and whatever is scrolled to is there, in a bounded document, and stays where it is. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Page } from "playwright-core";
import type { FrameBody } from "#protocol/runner-link.ts";
import { gatedBed, readRun } from "./support/bed.ts";
import { playRun, RUNNING, said } from "./support/played-run.ts";
import { assertScrollsAsBare } from "./support/scrolling.ts";
import { scrollTo, scrollToStart, shownSeqs, transcript, untilConnection } from "./support/transcript.ts";
import { visit } from "./support/visitor.ts";

const EVENTS = 20_000;
/** A document with everything in it would have hundreds of thousands. */
const MOST_ELEMENTS = 2_000;
const STOPS = 60;

/** Messages, thoughts, and tool calls with their results, as an agent makes them. */
function* work(count: number): Generator<FrameBody> {
  for (let made = 0; made < count; made += 4) {
    const id = `msg_${made}`;
    yield said({ type: "agent.thinking", message_id: id, text: `Thought ${made}: what does the next file say?` });
    yield said({
      type: "agent.message",
      message_id: id,
      text: `Message ${made}. It has a **list**:\n\n- one\n- two\n\nand \`code\` in it.`,
    });
    yield said({
      type: "tool.call",
      tool_call_id: `call_${made}`,
      name: "Bash",
      input: { command: `cat file-${made}` },
    });
    yield said({ type: "tool.result", tool_call_id: `call_${made}`, is_error: false, text: `content of file ${made}` });
  }
}

/**
 * Scrolls up by small steps, past rows that nobody has measured and through the loading of older ones. @returns by how many pixels
 * what is read moved otherwise than it was scrolled, at most.
 */
async function jumpsUpwards(page: Page): Promise<number> {
  return await page.evaluate(async () => {
    const scroller = window.reveilleScroller();
    const middle = scroller.getBoundingClientRect().top + scroller.clientHeight / 2;
    const read = () =>
      [...scroller.querySelectorAll("[data-seqs]")].find((row) => row.getBoundingClientRect().bottom > middle);
    let most = 0;
    for (let step = 0; step < 150; step += 1) {
      const row = read();
      const before = row?.getBoundingClientRect().top ?? Number.NaN;
      scroller.scrollTop -= 90;
      await window.twoFrames();
      if (row?.isConnected === true) most = Math.max(most, Math.abs(row.getBoundingClientRect().top - before - 90));
    }
    return most;
  });
}

function countElements(page: Page): Promise<number> {
  return page.evaluate(() => document.querySelectorAll("*").length);
}

test(`a session of ${EVENTS} events`, async (t) => {
  const bed = await gatedBed();
  const seedingAt = Date.now();
  const run = await playRun(t, bed, "A long session");
  await run.report([RUNNING, ...work(EVENTS)]);
  await run.finish("The end of the long session.");
  t.diagnostic(`seeded in ${Date.now() - seedingAt} ms`);
  assert.equal((await readRun(bed, run.runId)).status, "succeeded");

  await visit(t, bed, {}, async ({ page, context }) => {
    let dataAt = 0;
    const note = () => {
      dataAt = Date.now();
    };
    page.on("websocket", (socket) => socket.on("framereceived", note));
    page.on("response", (response) => /\/events\?/.test(response.url()) && note());
    const openedAt = Date.now();
    await page.goto(`/sessions/${run.sessionId}`);
    await transcript(page).getByText("The end of the long session.").first().waitFor();
    const shownAt = Date.now();
    t.diagnostic(`open: ${shownAt - openedAt} ms, of which ${shownAt - dataAt} ms after data`);
    await untilConnection(page, "ended");
    assert.ok(
      (await shownSeqs(page)).flat().some((seq) => seq > EVENTS),
      "it is at its end",
    );
    assert.ok(!(await shownSeqs(page)).flat().includes(1));

    let most = await countElements(page);
    const startedAt = Date.now();
    await scrollToStart(page);
    t.diagnostic(`to the start: ${Date.now() - startedAt} ms`);
    for (let stop = 0; stop <= STOPS; stop += 1) {
      await scrollTo(page, stop / STOPS);
      most = Math.max(most, await countElements(page));
      const seqs = (await shownSeqs(page)).flat();
      assert.ok(seqs.length > 0, `something is shown at ${stop} of ${STOPS}`);
      assert.equal(new Set(seqs).size, seqs.length, "no event is shown twice");
    }
    t.diagnostic(`at most ${most} elements`);
    assert.ok(most <= MOST_ELEMENTS, `${most} elements`);
    await assertScrollsAsBare(t, context, { page, name: "transcript", rows: EVENTS });
    await scrollTo(page, 1);
    await transcript(page).getByText("The end of the long session.").first().waitFor();

    await page.reload();
    await transcript(page).getByText("The end of the long session.").first().waitFor();
    const jump = await jumpsUpwards(page);
    assert.ok(jump <= 2, `what is read jumped by ${jump} pixels`);
  });
});
