/** Somebody double-clicks out of habit: what a button does, it does once. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { pageSchema } from "#protocol/api.ts";
import { listedRunSchema } from "#protocol/run.ts";
import { ask, cancelRuns, createRoutine, gatedBed } from "./support/bed.ts";
import { untilRunStatus } from "./support/transcript.ts";
import { visit } from "./support/visitor.ts";

test("a double click runs, cancels, retries, pauses, resumes and saves once", async (t) => {
  const bed = await gatedBed();
  const conversation = bed.model.lead();
  const routine = await createRoutine(bed, { name: "Clicked twice", prompt: conversation.task });
  await visit(t, bed, {}, async ({ page }) => {
    const writes: string[] = [];
    page.on("request", (request) => {
      const { pathname } = new URL(request.url());
      const isWrite = request.method() !== "GET" && !/\/(ticket|validate)$/.test(pathname);
      if (isWrite) writes.push(`${request.method()} ${pathname.replace(/.*\/(?:rtn|run)_[^/]+/, "…")}`);
    });
    await page.goto(`/routines/${routine.id}`);
    await page.getByRole("button", { name: "Run now" }).dblclick();
    await page.waitForURL(/\/sessions\/session_/);
    await untilRunStatus(page, "running");
    await page.getByRole("button", { name: "Cancel run" }).click();
    await page.getByRole("alertdialog").getByRole("button", { name: "Cancel run" }).dblclick();
    await untilRunStatus(page, "canceled");
    const first = page.url();
    await page.getByRole("button", { name: "Retry" }).dblclick();
    await page.waitForURL((url) => url.href !== first);
    await untilRunStatus(page, "running");

    await page.goto(`/routines/${routine.id}`);
    await page.getByRole("button", { name: "Pause…" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Pause" }).dblclick();
    await page.getByRole("button", { name: "Resume" }).hover();
    await page.mouse.down({ clickCount: 1 });
    await page.mouse.up({ clickCount: 1 });
    // The button in that place has another meaning by now: the second click is not for it.
    await page.getByRole("button", { name: "Pause…" }).waitFor();
    await page.mouse.down({ clickCount: 2 });
    await page.mouse.up({ clickCount: 2 });
    await page
      .getByRole("button", { name: "Edit", exact: true })
      .or(page.getByRole("link", { name: "Edit" }))
      .waitFor();
    assert.equal(await page.getByRole("dialog").count(), 0);
    await page.goto(`/routines/${routine.id}/edit`);
    await page.getByLabel("Name", { exact: true }).fill("Saved by two clicks");
    await page.getByRole("button", { name: "Save", exact: true }).dblclick();
    await page.getByRole("heading", { level: 1, name: "Saved by two clicks" }).waitFor();
    assert.deepEqual(writes, [
      "POST …/run",
      "POST …/cancel",
      "POST …/retry",
      "POST …/pause",
      "POST …/resume",
      "PATCH …",
    ]);
  });
  await cancelRuns(bed, routine.id);
  const path = `/api/v1/routines/${routine.id}/runs`;
  const { data } = await ask(bed, { method: "GET", path, answer: pageSchema(listedRunSchema) });
  assert.equal(data.length, 2);
});
