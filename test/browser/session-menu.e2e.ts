/** A person names a session, puts it away, takes it elsewhere, and deletes it. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { exportLineSchema } from "#protocol/session.ts";
import { gatedBed, readEvents } from "./support/bed.ts";
import { moveTo, pressOn, writeIn } from "./support/keyboard.ts";
import { playRun, RUNNING, said } from "./support/played-run.ts";
import { openSession, untilConnection, untilRunStatus } from "./support/transcript.ts";
import { visit } from "./support/visitor.ts";

test("a session is renamed, archived, copied, exported and deleted from its menu", async (t) => {
  const bed = await gatedBed();
  const run = await playRun(t, bed, "With a menu");
  await run.report([RUNNING, said({ type: "agent.message", message_id: "msg_1", text: "I have **looked**." })]);
  await visit(t, bed, { isByKeys: true }, async ({ page, context, faults }) => {
    await context.grantPermissions(["clipboard-read", "clipboard-write"]);
    await openSession(page, run.sessionId);
    await untilRunStatus(page, "running");
    const choose = async (name: string) => {
      await pressOn(page, page.getByRole("button", { name: "More about the session" }));
      await moveTo(page, page.getByRole("menuitem", { name }));
      await page.keyboard.press("Enter");
    };
    await pressOn(page, page.getByRole("button", { name: "More about the session" }));
    const tooEarly = page.getByRole("menuitem", { name: "Delete, once its run has ended" });
    assert.equal(await tooEarly.getAttribute("aria-disabled"), "true");
    await page.keyboard.press("Escape");
    await run.finish("All is looked at.");
    await untilConnection(page, "ended");

    await choose("Rename…");
    const title = page.getByRole("dialog").getByLabel("Title");
    await writeIn(page, title, "What was looked at");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { level: 1, name: "What was looked at" }).waitFor();
    await choose("Archive");
    await page.getByText("Archived", { exact: true }).waitFor();
    await choose("Bring back from the archive");
    await page.getByText("Archived", { exact: true }).waitFor({ state: "hidden" });

    await choose("Copy as Markdown");
    await page.getByRole("status").getByText("Copied").waitFor();
    const copied = await page.evaluate(() => navigator.clipboard.readText());
    assert.ok(copied.startsWith(`# What was looked at\n\n<${bed.url}/sessions/${run.sessionId}>\n\n`), copied);
    assert.ok(copied.includes("\n\nI have **looked**.\n\n"), copied);

    const [download] = await Promise.all([page.waitForEvent("download"), choose("Export as JSON lines")]);
    assert.equal(download.suggestedFilename(), `${run.sessionId}.jsonl`);
    const lines = (await readFile(await download.path(), "utf8")).trimEnd().split("\n");
    const exported = lines.map((line) => exportLineSchema.parse(JSON.parse(line)));
    assert.equal(exported.length, 2 + (await readEvents(bed, run.sessionId)).length);
    // That a page brings a file is a fault everywhere else.
    assert.deepEqual(faults.splice(0), [`download: ${download.url()}`]);

    await choose("Delete…");
    await page.getByRole("alertdialog").getByText("This can’t be undone.").waitFor();
    await pressOn(page, page.getByRole("button", { name: "Keep it" }));
    await choose("Delete…");
    await pressOn(page, page.getByRole("button", { name: "Delete", exact: true }));
    await page.getByRole("heading", { level: 1, name: "With a menu" }).waitFor();
    await page.goto(`/sessions/${run.sessionId}`);
    await page.getByRole("heading", { name: /session/i }).waitFor();
    assert.equal(await page.getByRole("button", { name: "More about the session" }).count(), 0);
  });
});
