/** What everybody does is done without a mouse: sign in, find the routine, run it, cancel the run, pause. The other stories that visit `isByKeys` have the rest. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Locator, Page } from "playwright-core";
import { pageSchema } from "#protocol/api.ts";
import { listedRunSchema } from "#protocol/run.ts";
import { secretSchema } from "#protocol/secret.ts";
import { ask, createRoutine, gatedBed } from "./support/bed.ts";
import { openTab, pressOn, tabTo, writeIn } from "./support/keyboard.ts";
import { untilRunStatus } from "./support/transcript.ts";
import { visit } from "./support/visitor.ts";

test("sign in, find the routine, run it, cancel it, run it again, pause and resume, with the keyboard alone", async (t) => {
  const bed = await gatedBed();
  const conversation = bed.model.lead();
  const routine = await createRoutine(bed, { name: "Keyboard routine", prompt: conversation.task });
  await visit(t, bed, { isSignedIn: false, isByKeys: true }, async ({ page }) => {
    await page.goto("/");
    await writeIn(page, page.getByLabel("Owner token"), bed.ownerToken);
    await page.keyboard.press("Enter");
    await pressOn(page, page.getByRole("link", { name: "Routines", exact: true }));
    await page.getByRole("heading", { level: 1, name: "Routines" }).waitFor();
    await pressOn(page, page.getByRole("link", { name: "Keyboard routine", exact: true }).first());
    await page.getByRole("heading", { level: 1, name: "Keyboard routine" }).waitFor();
    await openTab(page, page.getByRole("tab", { name: "Activity" }));

    await pressOn(page, page.getByRole("button", { name: "Run with text…" }));
    await page.getByRole("dialog").getByLabel("Text for the agent").waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "hidden" });
    await page.keyboard.press("Shift+Tab");
    await pressOn(page, page.getByRole("button", { name: "Run now" }));
    await page.waitForURL(/\/sessions\/session_/);
    await untilRunStatus(page, "running");
    await pressOn(page, page.getByRole("button", { name: "Cancel run" }));
    const dialog = page.getByRole("dialog").or(page.getByRole("alertdialog"));
    await pressOn(page, dialog.getByRole("button", { name: "Cancel run" }));
    await untilRunStatus(page, "canceled");

    const first = page.url();
    await pressOn(page, page.getByRole("button", { name: "Retry" }));
    await page.waitForURL((url) => url.href !== first);
    await untilRunStatus(page, "running");
    await pressOn(page, page.getByRole("button", { name: "Cancel run" }));
    await pressOn(page, dialog.getByRole("button", { name: "Cancel run" }));
    await untilRunStatus(page, "canceled");

    const breadcrumb = page.getByRole("navigation", { name: "Breadcrumb" });
    await pressOn(page, breadcrumb.getByRole("link", { name: "Keyboard routine" }));
    await pressOn(page, page.getByRole("button", { name: "Pause…" }));
    await writeIn(page, page.getByRole("dialog").getByLabel("Reason"), "While the docs move.");
    await page.keyboard.press("Enter");
    await page.getByText("While the docs move.").waitFor();
    await pressOn(page, page.getByRole("button", { name: "Resume" }));
    await page.getByRole("button", { name: "Pause…" }).waitFor();
  });
  const path = `/api/v1/routines/${routine.id}/runs`;
  const { data } = await ask(bed, { method: "GET", path, answer: pageSchema(listedRunSchema) });
  assert.deepEqual(
    data.map(({ status, cancel_reason }) => [status, cancel_reason]),
    [
      ["canceled", "by_user"],
      ["canceled", "by_user"],
    ],
  );
});

test("the exact time and its zone are seen at the focus and under the pointer, also in a row that is one link", async (t) => {
  const bed = await gatedBed();
  const path = "/api/v1/secrets/TIMED";
  await ask(bed, { method: "PUT", path, body: { value: "nobody reads this" }, answer: secretSchema });
  await visit(t, bed, {}, async ({ page }) => {
    const tip = page.getByRole("tooltip").filter({ hasText: /\d:\d\d:\d\d .*(UTC|GMT|[A-Z]{2,5})/ });
    await page.goto("/secrets");
    const link = page.getByRole("link", { name: "TIMED", exact: true });
    await tabTo(page, link);
    await tip.waitFor();
    await page.keyboard.press("Escape");
    await tip.waitFor({ state: "hidden" });
    assert.ok(await link.evaluate((element) => element === document.activeElement));

    const time = page.getByRole("listitem").filter({ has: link }).locator("time").first();
    await pointAt(page, time);
    await tip.waitFor();
    await pointAt(page, tip);
    // Two frames later whatever the pointer has led to is done.
    await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
    assert.ok(await tip.isVisible(), "it stays under the pointer");
    await pointAt(page, page.getByRole("heading", { level: 1 }));
    await tip.waitFor({ state: "hidden" });

    await page.keyboard.press("Enter");
    await page.getByRole("heading", { level: 1, name: "TIMED" }).waitFor();
    await tabTo(page, page.getByRole("main").locator("time").first());
    await tip.waitFor();
    assert.equal(await page.getByRole("tooltip").count(), 1);
  });
});

/** Moves there step by step, as a hand does. */
async function pointAt(page: Page, target: Locator): Promise<void> {
  const box = await target.boundingBox();
  assert.ok(box !== null);
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2, { steps: 8 });
}
