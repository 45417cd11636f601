/** Somebody asks why: why nothing ran when something came, and why a run failed. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { cancelRuns, changeRoutine, createRoutine, gatedBed, runNow, sendEvent, untilEnded } from "./support/bed.ts";
import { openTab, pressOn, tabTo } from "./support/keyboard.ts";
import { visit } from "./support/visitor.ts";

const TRIGGER = (levels: string[]) => ({
  type: "event",
  name: "alert.raised",
  filters: [
    { field: "level", operator: "is_one_of", value: levels },
    { field: "env", operator: "equals", value: "prod" },
  ],
});

test("why a delivery started nothing is seen filter by filter; once mended it is replayed, and runs", async (t) => {
  const bed = await gatedBed();
  const conversation = bed.model.lead();
  const routine = await createRoutine(bed, {
    name: "Looks at alerts",
    prompt: conversation.task,
    triggers: [TRIGGER(["fatal"])],
  });
  await sendEvent(bed, { name: "alert.raised", payload: { level: "error", env: "prod" } });
  await visit(t, bed, { isByKeys: true }, async ({ page }) => {
    await page.goto(`/routines/${routine.id}`);
    await openTab(page, page.getByRole("tab", { name: "Activity" }));
    const activity = page.getByRole("list", { name: "activity" });
    const filters = activity.getByRole("list", { name: "Filters" }).getByRole("listitem");
    await filters.first().waitFor();
    assert.deepEqual(await filters.allTextContents(), [
      'Did not match: level is "error", not one of "fatal"',
      'Matched: env is "prod"',
    ]);

    await changeRoutine(bed, routine.id, { triggers: [TRIGGER(["error", "fatal"])] });
    await pressOn(page, activity.getByRole("link", { name: "What arrived" }));
    await page.getByRole("heading", { level: 1, name: "Event alert.raised" }).waitFor();
    await page.getByRole("region", { name: "Body" }).getByText('"level": "error"').waitFor();
    await pressOn(page, page.getByRole("button", { name: "Replay…" }));
    const confirm = page.getByRole("dialog", { name: "Replay this delivery?" }).getByRole("button", { name: "Replay" });
    await tabTo(page, confirm);
    // As a key that bounces does.
    await Promise.all([page.keyboard.press("Enter"), page.keyboard.press("Enter")]);
    const verdicts = page.getByRole("list", { name: "Verdicts" });
    await verdicts.getByText("Started").waitFor();
    await pressOn(page, verdicts.getByRole("button", { name: "Open session" }));
    await page.waitForURL(/\/sessions\/session_/);

    await page.goto(`/runs?routine=${routine.id}`);
    await page.getByText("Runs of Looks at alerts").waitFor();
    assert.equal(
      await page.getByRole("list", { name: "runs" }).locator("> li").count(),
      1,
      "one run, for a key that was pressed twice",
    );
  });
  await cancelRuns(bed, routine.id);
});

test("from the red mark to the reason it is two clicks at most", async (t) => {
  const bed = await gatedBed();
  const routine = await createRoutine(bed, {
    name: "Clones from nowhere",
    prompt: "Look.",
    repositories: [{ url: "https://nowhere.invalid/acme/app" }],
    retry: { max: 0, backoff: "1s" },
  });
  const { run_id: runId, session_id: sessionId } = await runNow(bed, routine.id);
  const { error } = await untilEnded(bed, runId);
  assert.ok(error !== null);
  await visit(t, bed, { isByKeys: true }, async ({ page }) => {
    await page.goto("/routines");
    await page.getByRole("link", { name: /^Home/ }).getByText(/\d/).waitFor();
    await pressOn(page, page.getByRole("link", { name: /^Home/ }));
    const row = page.getByRole("list", { name: "Needs you" }).getByRole("listitem").filter({ hasText: routine.name });
    // It is told here already, with what mends it.
    await row.getByText(error.message).waitFor();
    await row.getByRole("button", { name: "Fire again" }).waitFor();

    await page.goto("/runs?state=failed");
    await pressOn(page, page.getByRole("list", { name: "runs" }).locator(`a[href="/sessions/${sessionId}"]`));
    await page.getByText(error.message).first().waitFor();
  });
});

test("the palette leads to a routine by keys alone, and a page is two keys away", async (t) => {
  const bed = await gatedBed();
  const routine = await createRoutine(bed, { name: "Found by typing", prompt: "Wait." });
  await visit(t, bed, { isByKeys: true }, async ({ page }) => {
    await page.goto("/runs");
    await page.getByRole("heading", { level: 1, name: "Runs" }).waitFor();
    await page.keyboard.press("Control+k");
    await page.getByRole("combobox", { name: "Go to, or do" }).waitFor();
    await page.keyboard.type("typing found");
    await page.getByRole("option", { name: routine.name, selected: true }).waitFor();
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { level: 1, name: routine.name }).waitFor();
    await page.getByRole("dialog").waitFor({ state: "hidden" });

    await page.keyboard.press("g");
    await page.keyboard.press("d");
    await page.getByRole("heading", { level: 1, name: "Deliveries" }).waitFor();
    const search = page.getByRole("searchbox", { name: "Search in deliveries" });
    await tabTo(page, search);
    await page.keyboard.type("ggr");
    await page.waitForURL(/search=ggr/);
    await page.getByText("No such delivery").waitFor();

    await page.keyboard.press("Shift+Tab");
    await page.keyboard.press("?");
    const keys = page.getByRole("dialog", { name: "Keyboard shortcuts" });
    await pressOn(page, keys.getByRole("button", { name: "Turn single keys off" }));
    await pressOn(page, keys.getByRole("button", { name: "Close" }));
    await keys.waitFor({ state: "hidden" });
    await page.keyboard.press("g");
    await page.keyboard.press("r");
    await page.keyboard.press("Control+k");
    await page.getByRole("combobox").waitFor();
    assert.match(page.url(), /deliveries/, "keys that are off lead nowhere");
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "hidden" });
  });
});
