/** A routine is made and changed in the browser: from a template, from nothing with each kind of trigger, and by the keyboard alone. */
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { test } from "node:test";
import { z } from "zod";
import { type Routine, routineSchema } from "#protocol/routine.ts";
import { ask, type Bed, createRoutine, demoBed } from "./support/bed.ts";
import { addTrigger, Counted, openNew, save, savedId } from "./support/editor.ts";
import { pressOn, tick, writeIn } from "./support/keyboard.ts";
import { untilRunStatus } from "./support/transcript.ts";
import { visit } from "./support/visitor.ts";

const CLICKS_AT_MOST = 12;
const FIELDS_AT_MOST = 3;

function read(bed: Bed, id: string): Promise<Routine> {
  return ask(bed, { method: "GET", path: `/api/v1/routines/${id}`, answer: routineSchema });
}

async function demoRepository(bed: Bed): Promise<string> {
  return (await read(bed, bed.demoRoutineId)).repositories[0]?.url ?? "";
}

test("from the list of routines to one that is scheduled and tried: a few clicks, and one field", async (t) => {
  const bed = await demoBed();
  const repository = await demoRepository(bed);
  await visit(t, bed, {}, async ({ page }) => {
    const counted = new Counted();
    await page.goto("/");
    await counted.click(page.getByRole("link", { name: "New routine" }));
    await counted.click(page.getByRole("link", { name: "Docs sync" }));
    await page.getByRole("table", { name: "Next times" }).waitFor();
    await counted.type(page.getByLabel("Address 1"), repository);
    await counted.click(page.getByRole("button", { name: "Save and run" }));
    await page.waitForURL(/\/sessions\//);
    // The run itself is slower than anything that a page does.
    await untilRunStatus(page, "running");
    await page.getByText("report_result").first().waitFor({ timeout: 60_000 });
    await untilRunStatus(page, "succeeded");
    t.diagnostic(`${counted.clicks} clicks, ${counted.typed} typed fields`);
    assert.ok(counted.clicks <= CLICKS_AT_MOST);
    assert.ok(counted.typed <= FIELDS_AT_MOST);
  });
  const { data } = await ask(bed, {
    method: "GET",
    path: "/api/v1/routines?limit=1",
    answer: z.object({ data: z.array(routineSchema) }),
  });
  assert.equal(data[0]?.name, "Docs sync");
  assert.equal(data[0]?.triggers[0]?.next_fire_times.length, 3);
});

test("from nothing, with a trigger of each kind", async (t) => {
  const bed = await demoBed();
  await visit(t, bed, {}, async ({ page }) => {
    await openNew(page, "empty");
    await page.getByLabel("Name", { exact: true }).fill("Of every kind");
    await page.getByLabel("Prompt", { exact: true }).fill("Say what woke you.");
    await page.getByRole("button", { name: "Add a repository" }).click();
    await page.getByLabel("Address 1").fill("https://github.com/acme/app");

    const schedule = await addTrigger(page, "Schedule");
    await schedule.getByLabel("How often").selectOption("Each week");
    await schedule.getByLabel("On", { exact: true }).selectOption("Thursday");
    await schedule.getByLabel("At", { exact: true }).fill("14:30");
    await schedule.getByLabel("Time zone").fill("Asia/Tokyo");
    await schedule.getByRole("columnheader", { name: "Asia/Tokyo" }).waitFor();
    assert.equal(await schedule.getByRole("row").count(), 6);

    const github = await addTrigger(page, "GitHub");
    await github.getByRole("checkbox", { name: "synchronize" }).check();
    await github.getByRole("button", { name: "Add a condition" }).click();
    await github.getByLabel("Value 1").fill("main");

    const event = await addTrigger(page, "Event");
    await event.getByLabel("Name of the event").fill("file.changed");
    const after = await addTrigger(page, "Another routine");
    await after.getByLabel("Routine", { exact: true }).fill("Of every kind");
    await after.getByRole("checkbox", { name: "failing" }).check();
    await addTrigger(page, "API");
    const webhook = await addTrigger(page, "Webhook");
    await webhook.getByLabel("Service").selectOption("Linear");
    await webhook.getByText("Save the routine first").waitFor();
    await save(page);

    await page.waitForURL(/\/edit/);
    const id = await savedId(page);
    const saved = await read(bed, id);
    assert.deepEqual(
      saved.triggers.map(({ type }) => type),
      ["schedule", "github", "event", "routine", "api", "webhook"],
    );
    const [weekly, pull] = saved.triggers;
    assert.deepEqual(weekly?.type === "schedule" && [weekly.every, weekly.weekday, weekly.time, weekly.timezone], [
      "weekly",
      "thursday",
      "14:30",
      "Asia/Tokyo",
    ]);
    assert.deepEqual(pull?.type === "github" && [pull.actions, pull.filters], [
      ["opened", "synchronize"],
      [{ field: "base_branch", operator: "equals", value: "main" }],
    ]);

    await page.getByRole("button", { name: "Make a token" }).click();
    const call = await page.getByText(/^curl -X POST/).textContent();
    assert.match(call ?? "", new RegExp(`/v1/claude_code/routines/${id}/fire`));
    const token = /Bearer ([^']+)'/.exec(call ?? "")?.[1] ?? "";
    const fired = await fetch(`${bed.origin}/v1/claude_code/routines/${id}/fire`, {
      method: "POST",
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      body: "{}",
    });
    assert.equal(fired.status, 200, await fired.text());

    await page.getByText("No secret", { exact: true }).waitFor();
    await page.getByLabel("Secret of Linear").fill("lin_wh_0123456789abcdef");
    await page.getByRole("button", { name: "Set the secret" }).click();
    await page.getByText("Has a secret").waitFor();
    await page.getByText("How it is set up: Linear").click();
    await page.getByText("New webhook").waitFor();

    const body = JSON.stringify({ type: "Issue", action: "create", data: { id: "1" }, webhookTimestamp: Date.now() });
    const endpoint = saved.triggers.find(({ type }) => type === "webhook")?.endpoint?.url ?? "";
    const delivered = await fetch(endpoint.replace(bed.url, bed.origin), {
      method: "POST",
      headers: {
        "content-type": "application/json",
        "linear-event": "Issue",
        "linear-delivery": crypto.randomUUID(),
        "linear-signature": createHmac("sha256", "lin_wh_0123456789abcdef").update(body).digest("hex"),
      },
      body,
    });
    assert.ok(delivered.ok, await delivered.text());
    const card = page.getByRole("group", { name: /Webhook$/ });
    await card.getByRole("button", { name: "Add a condition" }).click();
    await card.getByLabel("Field 1").fill("action");
    await card.getByLabel("Value 1").fill("remove");
    await card.getByRole("button", { name: "Try on recent deliveries" }).click();
    await card.getByText("Passed over").waitFor();
    await card.getByText('Does not hold: action is "create", not "remove"').waitFor();
    await card.getByLabel("Value 1").fill("create");
    await card.getByText("Starts a run").waitFor();
    await save(page);
    await page.waitForURL((url) => !url.pathname.endsWith("/edit"));
  });
});

test("a fault stands beside its field, and a part that is closed opens for it", async (t) => {
  const bed = await demoBed();
  await visit(t, bed, {}, async ({ page }) => {
    await openNew(page, "empty");
    await page.getByLabel("Name", { exact: true }).fill("Faulty");
    await page.getByLabel("Prompt", { exact: true }).fill("Wait.");
    const schedule = await addTrigger(page, "Schedule");
    await schedule.getByLabel("How often").selectOption("By a cron expression");
    await schedule.getByLabel("Cron expression").fill("0 0 30 2 *");
    await schedule
      .getByText(/never occurs/)
      .first()
      .waitFor();
    await page.getByRole("button", { name: /^Limits and budgets/ }).click();
    await page.getByLabel("Longest time of a run").fill("90 parsecs");
    await page.getByRole("button", { name: /^Limits and budgets/ }).click();
    await save(page);
    const timeout = page.getByLabel("Longest time of a run");
    await timeout.waitFor();
    await page.getByRole("alert").getByRole("button", { name: "Limits, timeout" }).click();
    assert.ok(await timeout.evaluate((field) => field === document.activeElement), "each fault leads to its field");
    assert.equal(await timeout.getAttribute("aria-invalid"), "true");
    await timeout.fill("30m");
    await save(page);
    const cron = page.getByLabel("Cron expression");
    await page.locator("[aria-invalid=true]").waitFor();
    assert.equal(await cron.getAttribute("aria-invalid"), "true");
    await cron.fill("0 9 * * 1-5");
    await save(page);
    const id = await savedId(page);
    assert.equal((await read(bed, id)).limits.timeout, "30m");
  });
});

test("what can be saved and is not meant is told beside its field while it is written", async (t) => {
  const bed = await demoBed();
  await visit(t, bed, {}, async ({ page }) => {
    await openNew(page, "empty");
    await page.getByLabel("Name", { exact: true }).fill("Not meant");
    await page.getByLabel("Prompt", { exact: true }).fill("Wait.");
    await page.getByRole("button", { name: "Add a repository" }).click();
    await page.getByLabel("Address 1").fill("https://github.com/acme/app");
    const github = await addTrigger(page, "GitHub");
    await github.getByLabel("Event", { exact: true }).fill("pull_requst");
    const worth = page.getByRole("region", { name: "Worth a look" });
    await worth.getByRole("button", { name: "Trigger 1, event" }).waitFor();
    await github
      .getByText(/pull_request\b/)
      .first()
      .waitFor();
    await github.getByLabel("Event", { exact: true }).fill("pull_request");
    await worth.getByRole("button", { name: "Trigger 1, event" }).waitFor({ state: "detached" });
  });
});

test("what somebody else has saved meanwhile is shown beside one's own, and neither is lost", async (t) => {
  const bed = await demoBed();
  const routine = await createRoutine(bed, { name: "Shared", prompt: "At first." });
  await visit(t, bed, {}, async ({ page }) => {
    await page.goto(`/routines/${routine.id}/edit`);
    await page.getByLabel("Prompt", { exact: true }).fill("Mine.");
    await page.getByLabel("Name", { exact: true }).fill("Mine");
    const body = { prompt: "Theirs.", overlap: "skip" };
    await ask(bed, { method: "PATCH", path: `/api/v1/routines/${routine.id}`, body, answer: routineSchema });
    await save(page);
    const conflict = page.getByRole("group", { name: "Changed meanwhile" });
    await conflict.getByText("Theirs.").waitFor();
    await conflict.getByText("Mine.").waitFor();
    await conflict.getByRole("radio", { name: "Mine" }).check();
    await conflict.getByRole("button", { name: "Go on with this" }).click();
    await save(page);
    await page.waitForURL((url) => !url.pathname.endsWith("/edit"));
    const { name, prompt, overlap, revision } = await read(bed, routine.id);
    assert.deepEqual(
      { name, prompt, overlap, revision },
      { name: "Mine", prompt: "Mine.", overlap: "skip", revision: 3 },
    );
  });
});

test("a run that is refused leaves what was saved, and says so", async (t) => {
  const bed = await demoBed();
  const routine = await createRoutine(bed, { name: "Not started", prompt: "Wait." });
  await visit(t, bed, {}, async ({ page }) => {
    await page.route(/\/api\/v1\/routines\/[^/]+\/run$/, (route) =>
      route.fulfill({
        status: 429,
        json: { type: "error", error: { type: "rate_limit_error", message: "Too many runs." }, request_id: "r" },
      }),
    );
    await page.goto(`/routines/${routine.id}/edit`);
    for (const prompt of ["Once.", "Twice."]) {
      await page.getByLabel("Prompt", { exact: true }).fill(prompt);
      await page.getByRole("button", { name: "Save and run" }).click();
      await page.getByText("no run was started").waitFor();
      await page.getByText("Everything is saved").waitFor();
      assert.equal((await read(bed, routine.id)).prompt, prompt);
    }
  });
});

test("the same as JSON, in both directions, and nothing is left without asking", async (t) => {
  const bed = await demoBed();
  const routine = await createRoutine(bed, { name: "As JSON", prompt: "Wait." });
  await visit(t, bed, {}, async ({ page }) => {
    await page.goto(`/routines/${routine.id}/edit`);
    await page.getByLabel("Prompt", { exact: true }).fill("Wait longer.");
    await page.getByRole("tab", { name: "JSON" }).click();
    const json = page.getByLabel("Definition as JSON");
    const written = JSON.parse(await json.inputValue());
    assert.equal(written.prompt, "Wait longer.");
    await json.fill("{ no");
    await page.getByRole("tab", { name: "Form" }).click();
    await page.getByText(/This is not JSON/).waitFor();
    await json.fill(JSON.stringify({ ...written, triggers: [{ type: "event", name: "from.json" }] }));
    await page.getByRole("tab", { name: "Form" }).click();
    assert.equal(await page.getByLabel("Name of the event").inputValue(), "from.json");

    await page.getByRole("link", { name: "As JSON" }).click();
    await page.getByRole("alertdialog").getByText("Leave without saving?").waitFor();
    await page.getByRole("button", { name: "Stay" }).click();
    assert.equal(await page.getByLabel("Name of the event").inputValue(), "from.json");
    await page.getByRole("link", { name: "As JSON" }).click();
    await page.getByRole("button", { name: "Leave" }).click();
    await page.waitForURL((url) => !url.pathname.endsWith("/edit"));
    assert.equal((await read(bed, routine.id)).prompt, "Wait.");
  });
});

test("revisions are compared and restored, a routine is copied, and deleted by its name", async (t) => {
  const bed = await demoBed();
  const routine = await createRoutine(bed, { name: "With a past", prompt: "One\nTwo", triggers: [{ type: "api" }] });
  const path = `/api/v1/routines/${routine.id}`;
  await ask(bed, { method: "PATCH", path, body: { prompt: "One\nThree" }, answer: routineSchema });
  await visit(t, bed, { isByKeys: true }, async ({ page }) => {
    await page.goto(`/routines/${routine.id}?tab=definition`);
    await pressOn(page, page.getByRole("button", { name: "Compare revision 1" }));
    await page.getByText("− Two").waitFor();
    await page.getByText("+ Three").waitFor();
    await pressOn(page, page.getByRole("button", { name: "Restore revision 1" }));
    await page.getByText("Revision 3").waitFor();
    assert.equal((await read(bed, routine.id)).prompt, "One\nTwo");

    await pressOn(page, page.getByRole("link", { name: "Duplicate" }));
    await page.getByLabel("Name", { exact: true }).waitFor();
    await pressOn(page, page.getByRole("button", { name: "Save", exact: true }));
    await page.waitForURL((url) => /\/routines\/rtn_/.test(url.pathname) && !url.pathname.includes(routine.id));
    const copy = await read(bed, await savedId(page));
    assert.equal(copy.name, "With a past (copy)");
    assert.notEqual(copy.triggers[0]?.id, routine.triggers[0]?.id);

    await page.goto(`/routines/${routine.id}?tab=definition`);
    await pressOn(page, page.getByRole("button", { name: "Delete…" }));
    const dialog = page.getByRole("dialog");
    assert.ok(await dialog.getByRole("button", { name: "Delete" }).isDisabled());
    await writeIn(page, dialog.getByLabel("Name of the routine"), "With a past");
    await pressOn(page, dialog.getByRole("button", { name: "Delete" }));
    await page.waitForURL(`${bed.url}/routines`);
    await assert.rejects(read(bed, routine.id), /404|not_found|no such/i);
  });
});

test("by the keyboard alone: a template, a repository, a trigger, saved", async (t) => {
  const bed = await demoBed();
  await visit(t, bed, { isByKeys: true }, async ({ page }) => {
    await page.goto("/");
    await pressOn(page, page.getByRole("link", { name: "New routine" }));
    await pressOn(page, page.getByRole("link", { name: "Weekly report" }));
    await writeIn(page, page.getByLabel("Address 1"), "https://github.com/acme/app");
    const add = page.getByRole("group", { name: "Add a trigger" });
    await pressOn(page, add.getByRole("button", { name: "Event", exact: true }));
    await writeIn(page, page.getByLabel("Name of the event"), "week.over");
    await tick(page, page.getByRole("button", { name: /^Limits and budgets/ }));
    await writeIn(page, page.getByLabel("Longest time of a run"), "45m");
    await pressOn(page, page.getByRole("button", { name: "Save", exact: true }));
    const { triggers, limits } = await read(bed, await savedId(page));
    assert.equal(limits.timeout, "45m");
    assert.deepEqual(
      triggers.map(({ type }) => type),
      ["schedule", "event"],
    );
  });
});
