/** A session is watched while the agent works: nothing is missing and nothing doubled, whatever happens on the way. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { until } from "#test/scripts/support/until.ts";
import { createRoutine, type GatedBed, gatedBed, readEvents, readRun, runNow } from "./support/bed.ts";
import type { Conversation } from "./support/gated-model.ts";
import { openSession, readThrough, transcript, untilConnection, untilRunStatus } from "./support/transcript.ts";
import { visit } from "./support/visitor.ts";

/** By the page's clock, which is put forward: the test itself does not wait. */
const OFFLINE_MS = 20_000;

interface LedRun {
  conversation: Conversation;
  runId: string;
  sessionId: string;
}

/** Starts a run of which the test leads the conversation. */
async function startRun(bed: GatedBed): Promise<LedRun> {
  const conversation = bed.model.lead();
  const routine = await createRoutine(bed, { prompt: conversation.task });
  const { run_id: runId, session_id: sessionId } = await runNow(bed, routine.id);
  return { conversation, runId, sessionId };
}

/** Has the agent do some steps, and waits until the instance has stored the last one's result. */
async function doSteps(bed: GatedBed, { conversation, sessionId }: LedRun, names: string[]): Promise<void> {
  for (const name of names) conversation.run(`Step ${name}.`, `echo result-of-${name}`);
  const last = `result-of-${names.at(-1)}`;
  await until(last, 30_000, async () =>
    (await readEvents(bed, sessionId)).some((event) => event.type === "tool.result" && event.text.includes(last)),
  );
}

async function seqsOf(bed: GatedBed, { sessionId }: LedRun): Promise<number[]> {
  const seqs = (await readEvents(bed, sessionId)).map(({ seq }) => seq);
  assert.deepEqual(
    seqs,
    seqs.map((_seq, index) => index + 1),
  );
  return seqs;
}

test("text is seen while it is written, and a reload in the middle loses and doubles nothing", async (t) => {
  const bed = await gatedBed();
  const run = await startRun(bed);
  await visit(t, bed, {}, async ({ page }) => {
    await openSession(page, run.sessionId);
    const log = transcript(page);
    await untilRunStatus(page, "running");
    await log.getByRole("button", { name: /ready in/i }).click();
    await log.getByText("Starting the agent").waitFor();
    const sayRest = run.conversation.sayHalf(
      `${"The first half is already here, word by word. ".repeat(6)}${"Then comes the end of it. ".repeat(12)}`,
    );
    await log.getByText("The first half is already here").first().waitFor();
    assert.ok(!(await readEvents(bed, run.sessionId)).some(({ type }) => type === "agent.message"));
    assert.ok(!((await log.textContent()) ?? "").includes("Then comes the end of it. Then comes the end of it. Then"));

    await page.reload();
    await transcript(page).waitFor();
    await untilConnection(page, "live");
    sayRest();
    // A text without a tool call ends the turn: the agent is done.
    await untilRunStatus(page, "succeeded");
    await log.getByText("Then comes the end of it.").first().waitFor();
    assert.deepEqual(await readThrough(page), await seqsOf(bed, run));
  });
});

test("twenty seconds offline, and a reload before the end: every event is there once", async (t) => {
  const bed = await gatedBed();
  const run = await startRun(bed);
  await visit(t, bed, {}, async ({ page, context }) => {
    await page.clock.install();
    await openSession(page, run.sessionId);
    const log = transcript(page);
    await doSteps(bed, run, ["one", "two"]);
    await log.getByText("Step two.").first().waitFor();
    await untilConnection(page, "live");

    await Promise.all([bed.network.cut(), context.setOffline(true)]);
    await page.locator('[data-connection]:not([data-connection="live"])').waitFor();
    const offlineAt = await page.evaluate(() => Date.now());
    await doSteps(bed, run, ["three", "four", "five"]);
    await untilConnection(page, "offline");
    assert.equal(await log.getByText("Step five.").count(), 0);
    // In steps: each lets what is due, another try to connect among it, come to its end.
    for (let step = 0; step < 10; step += 1) await page.clock.runFor(OFFLINE_MS / 10);
    assert.ok((await page.evaluate(() => Date.now())) - offlineAt >= OFFLINE_MS);
    await untilConnection(page, "offline");
    await bed.network.mend();
    await context.setOffline(false);
    const backAt = Date.now();
    await untilConnection(page, "live");
    await log.getByText("Step five.").first().waitFor();
    t.diagnostic(`caught up ${Date.now() - backAt} ms after the network was back`);

    await doSteps(bed, run, ["six"]);
    await page.reload();
    await doSteps(bed, run, ["seven"]);
    run.conversation.finish("All seven steps are done.");
    await untilRunStatus(page, "succeeded");
    await untilConnection(page, "ended");
    await log.getByText("All seven steps are done.").first().waitFor();
    assert.deepEqual(await readThrough(page), await seqsOf(bed, run));
  });
});

test("a run is canceled through the dialog, and not by its other button", async (t) => {
  const bed = await gatedBed();
  const run = await startRun(bed);
  await visit(t, bed, {}, async ({ page }) => {
    await openSession(page, run.sessionId);
    await untilRunStatus(page, "running");
    const open = page.getByRole("button", { name: "Cancel run" });
    const dialog = page.getByRole("dialog").or(page.getByRole("alertdialog"));
    await open.click();
    await dialog.getByRole("button", { name: "Keep running" }).click();
    await dialog.waitFor({ state: "hidden" });
    assert.equal((await readRun(bed, run.runId)).cancel_requested_at, null);

    await open.click();
    await dialog.getByRole("button", { name: "Cancel run" }).click();
    await untilRunStatus(page, "canceled");
    await open.waitFor({ state: "hidden" });
    await untilConnection(page, "ended");
    assert.equal((await readRun(bed, run.runId)).status, "canceled");
    assert.deepEqual(await readThrough(page), await seqsOf(bed, run));
  });
});

test("signing out ends the watching of a live session", async (t) => {
  const bed = await gatedBed();
  const run = await startRun(bed);
  await visit(t, bed, {}, async ({ page }) => {
    await openSession(page, run.sessionId);
    await untilConnection(page, "live");
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
    assert.equal(await transcript(page).count(), 0);
    await doSteps(bed, run, ["unseen"]);
    assert.ok(!((await page.textContent("body")) ?? "").includes("Step unseen."));
  });
  run.conversation.finish("Done.");
});
