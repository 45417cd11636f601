/** A person who uses no pointer signs in by the printed address, runs the demo routine with the offline demo model, and watches it to its end. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { sessionSchema } from "#protocol/session.ts";
import { ask, demoBed, readEvents } from "./support/bed.ts";
import { pressOn } from "./support/keyboard.ts";
import { readThrough, transcript, untilConnection, untilRunStatus } from "./support/transcript.ts";
import { visit } from "./support/visitor.ts";

test("from the list to the pushed branch", async (t) => {
  const bed = await demoBed();
  await visit(t, bed, { isSignedIn: false, isByKeys: true }, async ({ page }) => {
    await page.goto(await bed.signInUrl());
    await pressOn(page, page.getByRole("link", { name: "Routines", exact: true }));
    await pressOn(page, page.getByRole("link", { name: "Changelog demo", exact: true }).first());
    await page.getByRole("heading", { level: 1, name: "Changelog demo" }).waitFor();
    await pressOn(page, page.getByRole("button", { name: "Run now" }));
    await page.waitForURL(/\/sessions\/session_/);
    const sessionId = page.url().split("/").at(-1) ?? "";

    const log = transcript(page);
    await untilRunStatus(page, "running");
    await untilConnection(page, "live");
    await log.getByText("The offline demo model is at work").first().waitFor();
    await untilRunStatus(page, "succeeded");
    await untilConnection(page, "ended");

    const events = await readEvents(bed, sessionId);
    assert.deepEqual(
      await readThrough(page),
      events.map(({ seq }) => seq),
    );
    const push = events.find(({ type }) => type === "git.push");
    assert.ok(push?.type === "git.push", "a branch was pushed");
    const text = (await page.getByRole("main").textContent()) ?? "";
    assert.ok(text.includes(push.branch), "the evidence names the branch");
    assert.match(text, /demo model/i);
    const session = await ask(bed, { method: "GET", path: `/api/v1/sessions/${sessionId}`, answer: sessionSchema });
    await page.getByRole("heading", { level: 1, name: session.title }).waitFor();

    await pressOn(page, page.getByRole("link", { name: "Reveille", exact: true }));
    const recent = page.getByRole("region", { name: "Last results" });
    await recent.locator(`a[href="/sessions/${sessionId}"]`).first().waitFor();
  });
});
