/** A person steps in: says something in the middle, interrupts, answers, stops, and goes on after the end. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Page } from "playwright-core";
import { until } from "#test/scripts/support/until.ts";
import { createRoutine, type GatedBed, gatedBed, readEvents, readRun, runNow } from "./support/bed.ts";
import type { Conversation } from "./support/gated-model.ts";
import { pressOn, tabTo, writeIn } from "./support/keyboard.ts";
import {
  isAtEnd,
  openSession,
  readThrough,
  transcript,
  untilConnection,
  untilRunStatus,
} from "./support/transcript.ts";
import { visit } from "./support/visitor.ts";

interface LedRun {
  conversation: Conversation;
  runId: string;
  sessionId: string;
}

async function startRun(bed: GatedBed, more: Record<string, unknown> = {}): Promise<LedRun> {
  const conversation = bed.model.lead();
  const routine = await createRoutine(bed, { prompt: conversation.task, ...more });
  const { run_id: runId, session_id: sessionId } = await runNow(bed, routine.id);
  return { conversation, runId, sessionId };
}

const field = (page: Page) => page.getByRole("textbox", { name: "Message to the agent" });
const onTheirWay = (page: Page) => page.getByRole("list", { name: "Messages on their way" });

async function messagesOf(bed: GatedBed, { sessionId }: LedRun): Promise<string[]> {
  const events = await readEvents(bed, sessionId);
  return events.flatMap((event) => (event.type === "user.message" && event.source === "person" ? event.text : []));
}

test("a message steers the run, an interrupt stops its turn, and a message goes on after the end", async (t) => {
  const bed = await gatedBed();
  const run = await startRun(bed);
  await visit(t, bed, { isByKeys: true }, async ({ page }) => {
    await openSession(page, run.sessionId);
    const log = transcript(page);
    await untilRunStatus(page, "running");
    // To get there takes longer than the step does.
    await tabTo(page, field(page));
    run.conversation.run("A short step.", "command sleep 4");
    await log.getByText("A short step.").first().waitFor();
    await page.keyboard.type("Look at the other file, too.");
    await page.keyboard.press("Enter");
    assert.equal(await field(page).inputValue(), "");
    await onTheirWay(page).getByText("Look at the other file, too.").waitFor();
    await onTheirWay(page).getByText("Reaches the agent at its next step").waitFor();
    run.conversation.run("A long step.", "command sleep 600");
    await log.getByText("Look at the other file, too.").waitFor();
    await onTheirWay(page).waitFor({ state: "hidden" });

    await log.getByText("A long step.").first().waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: "Stopping…" }).waitFor();
    await log.getByText(/^Interrupted by /).waitFor();
    await page.getByRole("button", { name: "Stopping…" }).waitFor({ state: "hidden" });
    await untilRunStatus(page, "waiting");
    run.conversation.say({ text: "I have looked at both." });
    await writeIn(page, field(page), "Go on.");
    await page.keyboard.press("Control+Enter");
    await log.getByText("I have looked at both.").first().waitFor();
    await untilRunStatus(page, "succeeded");

    await writeIn(page, field(page), "And now");
    await page.keyboard.press("Shift+Enter");
    await page.keyboard.type("once more.");
    await page.reload();
    await untilConnection(page, "ended");
    assert.equal(await field(page).inputValue(), "And now\nonce more.", "the draft is kept");
    run.conversation.finish("Went on.");
    await pressOn(page, page.getByRole("button", { name: "Send", exact: true }));
    await log.getByText("Went on.").first().waitFor();
    await untilRunStatus(page, "succeeded");
    await untilConnection(page, "ended");
    const earlier = page.getByRole("complementary", { name: "Details" }).getByRole("region", { name: "Earlier runs" });
    await earlier.getByText(/^Succeeded, \$/).waitFor();
    const [of] =
      (await earlier.getByRole("link", { name: "Run 1", exact: true }).getAttribute("href"))?.match(/run_\w+/) ?? [];
    assert.equal(of, run.runId);
    const said = log.locator("[data-kind=agent]").last();
    await tabTo(page, said.getByRole("link", { name: /^Link to event #\d+ / }));
    await page
      .getByRole("tooltip")
      .filter({ hasText: /\d:\d\d:\d\d/ })
      .waitFor();
    assert.deepEqual(await messagesOf(bed, run), ["Look at the other file, too.", "Go on.", "And now\nonce more."]);
    const seqs = (await readEvents(bed, run.sessionId)).map(({ seq }) => seq);
    assert.deepEqual(await readThrough(page), seqs);
  });
});

test("what is said without a network gets there once, and two browsers stay equal", async (t) => {
  const bed = await gatedBed();
  const run = await startRun(bed);
  await visit(t, bed, {}, async ({ page, context }) => {
    const other = await context.newPage();
    await openSession(page, run.sessionId);
    await openSession(other, run.sessionId);
    await untilConnection(page, "live");
    await untilRunStatus(page, "running");
    await bed.network.cut();
    await untilConnection(page, "offline");
    await field(page).fill("Said without a network.");
    await page.keyboard.press("Enter");
    await onTheirWay(page).getByText("Sending…").waitFor();
    await bed.network.mend();
    await onTheirWay(page).getByText("Reaches the agent at its next step").waitFor();
    run.conversation.run("A step.", "echo done");
    run.conversation.run("Another step.", "echo done");
    await transcript(page).getByText("Said without a network.").waitFor();
    await transcript(other).getByText("Said without a network.").waitFor();
    run.conversation.finish("Both have seen it.");
    await untilConnection(page, "ended");
    await untilConnection(other, "ended");
    assert.deepEqual(await messagesOf(bed, run), ["Said without a network."]);
    assert.deepEqual(await readThrough(page), await readThrough(other));
  });
});

test("a question is answered where it is asked, an approval shows the call, and who is second is told who was first", async (t) => {
  const bed = await gatedBed();
  const run = await startRun(bed, { tools: { ask: ["Bash(git push:*)"] } });
  await visit(t, bed, { isByKeys: true }, async ({ page, context }) => {
    await openSession(page, run.sessionId);
    await untilRunStatus(page, "running");
    const input = { question: "Which colour?", choices: ["red", "blue"], default: "red" };
    run.conversation.say({ text: "I have to ask.", toolCalls: [{ name: "mcp__reveille__ask", input }] });
    const card = page.getByRole("region", { name: "The agent asks" });
    await card.getByText("Which colour?").waitFor();
    await card.getByText(/After that this counts: red/).waitFor();
    await untilRunStatus(page, "waiting");
    assert.match(await page.title(), /^\? Waits for you/);

    const late = await context.newPage();
    await openSession(late, run.sessionId);
    await late.getByRole("region", { name: "The agent asks" }).waitFor();
    // The other one does not hear that it has been answered.
    await late.route("**/answer", async (route) => {
      await until("an answer", 20_000, async () =>
        (await readEvents(bed, run.sessionId)).some(({ type }) => type === "question.answered"),
      );
      await route.continue();
    });
    await pressOn(late, late.getByRole("button", { name: "red" }));
    await pressOn(page, card.getByRole("button", { name: "blue" }));
    await transcript(page)
      .getByText(/answered: blue$/)
      .waitFor();
    await card.waitFor({ state: "hidden" });
    assert.ok(await isAtEnd(page), "the room that the card has left is no reason to stop following");
    await late
      .getByRole("alert")
      .getByText(/answered already\. By: /)
      .waitFor();

    run.conversation.run("Now I push.", "git push origin HEAD:claude/x");
    const approval = page.getByRole("region", { name: "The agent asks to make this call" });
    await approval.getByText("git push origin HEAD:claude/x").first().waitFor();
    await writeIn(page, approval.getByRole("textbox", { name: "Why, for the agent" }), "Not today.");
    await pressOn(page, approval.getByRole("button", { name: "Deny" }));
    await transcript(page)
      .getByText(/refused the call: Not today\.$/)
      .waitFor();
    run.conversation.finish("Nothing pushed.");
    await untilRunStatus(page, "succeeded");
    await transcript(page).getByText("Nothing pushed.").last().waitFor();
    assert.ok(await isAtEnd(page), "whoever has answered sees what comes of it");
    assert.equal((await readRun(bed, run.runId)).status, "succeeded");
  });
});
