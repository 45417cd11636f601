/** A person reads along: how a run gets ready, what is new, and what is folded away. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { until } from "#test/scripts/support/until.ts";
import { gatedBed } from "./support/bed.ts";
import { playRun, RUNNING, said } from "./support/played-run.ts";
import { isAtEnd, openSession, scrollTo, shownSeqs, transcript, untilConnection } from "./support/transcript.ts";
import { visit } from "./support/visitor.ts";

const LONG = "A line of the agent's.\n\n".repeat(12);

function message(id: number, text: string) {
  return said({ type: "agent.message", message_id: `msg_${id}`, text });
}

test("getting ready is told step by step with times, and in one line afterwards", async (t) => {
  const bed = await gatedBed();
  const run = await playRun(t, bed, "Getting ready");
  await visit(t, bed, {}, async ({ page }) => {
    await openSession(page, run.sessionId);
    const log = transcript(page);
    await log.getByText("Getting ready").waitFor();
    await run.report([said({ type: "run.step", phase: "clone", message: "Cloning the first repository" })]);
    await log.getByText("Cloning the first repository").waitFor();
    await run.report([said({ type: "run.step", phase: "setup", message: "Starting the agent" })]);
    const cloned = log.getByRole("listitem").filter({ hasText: "Cloning the first repository" });
    await log.getByText("Starting the agent").waitFor();
    assert.match((await cloned.textContent()) ?? "", /\d ?m?s$/, "a step that is over has its time");
    await run.report([RUNNING]);
    const line = log.getByText(/^Ready in /);
    await line.waitFor();
    await cloned.waitFor({ state: "hidden" });
    await line.click();
    await cloned.waitFor();
  });
});

test("the end is followed until one reads elsewhere, and then a mark tells of what is new", async (t) => {
  const bed = await gatedBed();
  const run = await playRun(t, bed, "Following the end");
  await run.report([RUNNING, ...[1, 2, 3].map((id) => message(id, LONG))]);
  await visit(t, bed, {}, async ({ page }) => {
    await openSession(page, run.sessionId);
    await untilConnection(page, "live");
    const log = transcript(page);
    const mark = page.getByRole("button", { name: "New below" });
    await run.report([message(4, `${LONG}\n\nThe fourth message.`)]);
    await log.getByText("The fourth message.").waitFor();
    await until("the end", 20_000, () => isAtEnd(page));
    assert.equal(await mark.count(), 0);

    await page.mouse.move(400, 500);
    await page.mouse.wheel(0, -900);
    await until("another place", 20_000, async () => !(await isAtEnd(page)));
    await scrollTo(page, 0.4);
    const place = await page.evaluate(() => window.reveilleScroller().scrollTop);
    await run.report([message(5, `${LONG}\n\nThe fifth message.`)]);
    await mark.waitFor();
    assert.equal(await page.evaluate(() => window.reveilleScroller().scrollTop), place, "what is read stays in place");
    await mark.click();
    await log.getByText("The fifth message.").waitFor();
    await until("the end", 20_000, () => isAtEnd(page));
    await mark.waitFor({ state: "hidden" });
  });
});

test("a tool call is one line, and opens to what went in and what came out", async (t) => {
  const bed = await gatedBed();
  const run = await playRun(t, bed, "Tool calls");
  const call = {
    type: "tool.call" as const,
    tool_call_id: "call_1",
    name: "Bash",
    input: { command: "npm test -- --all" },
  };
  await run.report([RUNNING, said(call)]);
  await visit(t, bed, {}, async ({ page }) => {
    await openSession(page, run.sessionId);
    await untilConnection(page, "live");
    const log = transcript(page);
    await log.getByText("npm test -- --all").waitFor();
    await run.report([
      said({
        type: "tool.result",
        tool_call_id: "call_1",
        is_error: true,
        text: "first line\nsecond line of the output",
      }),
      message(1, "Then something else."),
    ]);
    await log.getByText("Then something else.").waitFor();
    const output = log.getByText("second line of the output");
    assert.equal(await output.count(), 0);
    await log.getByText("npm test -- --all").first().click();
    await output.waitFor();
    await log.locator('[aria-expanded="true"]').first().press("Enter");
    await output.waitFor({ state: "hidden" });
  });
});

test("a place far back is found by its words, has an address, and is read in both directions from there", async (t) => {
  const bed = await gatedBed();
  const run = await playRun(t, bed, "Places");
  const events = Array.from({ length: 3_000 }, (_, index) => message(index, `Message ${index} of many.`));
  await run.report([RUNNING, ...events]);
  await run.finish("The end.");
  await visit(t, bed, {}, async ({ page }) => {
    await openSession(page, run.sessionId);
    await untilConnection(page, "ended");
    const log = transcript(page);
    await page.keyboard.press("/");
    await page.getByRole("textbox", { name: "Search the transcript" }).fill("message 1234 of");
    await page.getByText("1 found").waitFor();
    await page.keyboard.press("Enter");
    const found = log.locator("[data-target]");
    await found.getByText("Message 1234 of many.").waitFor();
    await page.keyboard.press("Escape");
    const link = found.getByRole("link", { name: /^Link to event #\d+\b/ });
    const hash = await link.getAttribute("href");
    await page.goto(`/sessions/${run.sessionId}${hash}`);
    await page.reload();
    await found.getByText("Message 1234 of many.").waitFor();
    assert.ok(await found.evaluate((element) => element.getBoundingClientRect().top < innerHeight), "it is in view");
    await until("older ones", 20_000, async () => {
      await scrollTo(page, 0);
      return (await shownSeqs(page)).flat().some((seq) => seq < 1_000);
    });
    await page.keyboard.press("End");
    await log.getByText("The end.").waitFor();
  });
});
