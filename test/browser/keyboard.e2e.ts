/** Everything that matters is done without a mouse: sign in, find the routine, run it, cancel the run. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { pageSchema } from "#protocol/api.ts";
import { listedRunSchema } from "#protocol/run.ts";
import { ask, createRoutine, gatedBed } from "./support/bed.ts";
import { tabTo } from "./support/keyboard.ts";
import { untilRunStatus } from "./support/transcript.ts";
import { visit } from "./support/visitor.ts";

test("sign in, find the routine, run it, and cancel the run, with the keyboard alone", async (t) => {
  const bed = await gatedBed();
  const conversation = bed.model.lead();
  const routine = await createRoutine(bed, { name: "Keyboard routine", prompt: conversation.task });
  await visit(t, bed, { isSignedIn: false }, async ({ page }) => {
    await page.goto("/");
    await tabTo(page, page.getByLabel("Owner token"));
    await page.keyboard.type(bed.ownerToken);
    await page.keyboard.press("Enter");

    await tabTo(page, page.getByRole("link", { name: "Routines", exact: true }));
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { level: 1, name: "Routines" }).waitFor();
    const link = page.getByRole("link", { name: "Keyboard routine", exact: true }).first();
    await tabTo(page, link);
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { level: 1, name: "Keyboard routine" }).waitFor();

    await tabTo(page, page.getByRole("tab", { name: "Runs" }));
    await page.keyboard.press("ArrowRight");
    await page.keyboard.press("Enter");
    await page.locator("[role=tab][aria-selected=true]").getByText("Activity").waitFor();

    await tabTo(page, page.getByRole("button", { name: "Run with text…" }));
    await page.keyboard.press("Enter");
    await page.getByRole("dialog").getByLabel("Text for the agent").waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "hidden" });

    await page.keyboard.press("Shift+Tab");
    await tabTo(page, page.getByRole("button", { name: "Run now" }));
    await page.keyboard.press("Enter");
    await page.waitForURL(/\/sessions\/session_/);
    await untilRunStatus(page, "running");
    await tabTo(page, page.getByRole("button", { name: "Cancel run" }));
    await page.keyboard.press("Enter");
    const dialog = page.getByRole("dialog").or(page.getByRole("alertdialog"));
    await tabTo(page, dialog.getByRole("button", { name: "Cancel run" }));
    await page.keyboard.press("Enter");
    await untilRunStatus(page, "canceled");
  });
  const path = `/api/v1/routines/${routine.id}/runs`;
  const { data } = await ask(bed, { method: "GET", path, answer: pageSchema(listedRunSchema) });
  assert.deepEqual(
    data.map(({ status, cancel_reason }) => [status, cancel_reason]),
    [["canceled", "by_user"]],
  );
});
