/** What a person does on the pages about the instance, each through to what it changes. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { pageSchema } from "#protocol/api.ts";
import { environmentSchema } from "#protocol/environment.ts";
import { messageAnswerSchema } from "#protocol/message.ts";
import { noteSchema } from "#protocol/note.ts";
import { instanceRulesSchema } from "#protocol/notification.ts";
import { listedRunSchema } from "#protocol/run.ts";
import { secretSchema } from "#protocol/secret.ts";
import { sharedBudgetSchema } from "#protocol/shared-budget.ts";
import { ask, createRoutine, demoBed, runNow, sendEvent, untilEnded } from "./support/bed.ts";
import { choose, openTab, pressOn, select, tabTo, tick, writeIn } from "./support/keyboard.ts";
import { visit } from "./support/visitor.ts";

const VALUE = "the value that nobody reads again";

test("a secret is set for one routine, given another value, and deleted with a word about who names it", async (t) => {
  const bed = await demoBed();
  const routine = await createRoutine(bed, {
    name: "Names a secret",
    prompt: "Wait.",
    variables: { A: "{{ADMIN_TOKEN}}" },
  });
  const readSecret = () => ask(bed, { method: "GET", path: "/api/v1/secrets/ADMIN_TOKEN", answer: secretSchema });
  await visit(t, bed, { isByKeys: true }, async ({ page }) => {
    await page.goto("/secrets");
    await page.getByText("No secrets yet").waitFor();
    await pressOn(page, page.getByRole("button", { name: "Set a secret" }));
    const dialog = page.getByRole("dialog", { name: "Set a secret" });
    await pressOn(page, dialog.getByRole("button", { name: "Set secret" }));
    await dialog.getByText(/^Give it a name/).waitFor();
    await writeIn(page, dialog.getByLabel("Name"), "ADMIN_TOKEN");
    await writeIn(page, dialog.getByLabel("Value"), "short");
    await dialog.getByText(/^Shorter than 8 characters/).waitFor();
    await writeIn(page, dialog.getByLabel("Value"), VALUE);
    await choose(page, dialog.getByRole("radio", { name: /^Only some/ }));
    await tick(page, dialog.getByRole("group", { name: "Routines" }).getByRole("checkbox", { name: routine.name }));
    await pressOn(page, dialog.getByRole("button", { name: "Set secret" }));
    await dialog.waitFor({ state: "hidden" });

    const row = page.getByRole("list", { name: "secrets" }).getByRole("listitem").filter({ hasText: "ADMIN_TOKEN" });
    await row.getByText("For runs of 1 routine").waitFor();
    await row.getByText("Never used").waitFor();
    await row.getByText("Named by Names a secret").waitFor();
    const first = await readSecret();
    assert.deepEqual(first.scope, { routines: [routine.id] });

    await pressOn(page, page.getByRole("button", { name: "Set a secret" }));
    await writeIn(page, dialog.getByLabel("Name"), "ADMIN_TOKEN");
    await dialog.getByText(/^It is there already/).waitFor();
    await writeIn(page, dialog.getByLabel("Value"), `${VALUE}, once more`);
    await pressOn(page, dialog.getByRole("button", { name: "Set secret" }));
    await dialog.waitFor({ state: "hidden" });
    assert.deepEqual((await readSecret()).scope, first.scope);

    await pressOn(page, row.getByRole("link", { name: "ADMIN_TOKEN" }));
    await page.getByRole("heading", { level: 1, name: "ADMIN_TOKEN" }).waitFor();
    await page.getByText("No run has been given it").waitFor();
    await pressOn(page, page.getByRole("button", { name: "Set another value" }));
    const another = page.getByRole("dialog", { name: "Another value for ADMIN_TOKEN" });
    await writeIn(page, another.getByLabel("Value"), `${VALUE} either`);
    await pressOn(page, another.getByRole("button", { name: "Set secret" }));
    await another.waitFor({ state: "hidden" });
    const second = await readSecret();
    assert.deepEqual(second.scope, first.scope);
    assert.ok(second.updated_at > first.updated_at);
    assert.ok(!(await page.content()).includes(VALUE));

    await pressOn(page, page.getByRole("button", { name: "Delete" }));
    const sure = page.getByRole("alertdialog", { name: "Delete ADMIN_TOKEN?" });
    await sure.getByText(/It is named by Names a secret/).waitFor();
    await pressOn(page, sure.getByRole("button", { name: "Delete secret" }));
    await page.getByText("No secrets yet").waitFor();
  });
});

test("a budget is set for a tag, given another amount, and removed", async (t) => {
  const bed = await demoBed();
  const budgets = async () =>
    (await ask(bed, { method: "GET", path: "/api/v1/budgets", answer: pageSchema(sharedBudgetSchema) })).data;
  await visit(t, bed, { isByKeys: true }, async ({ page }) => {
    await page.goto("/");
    await pressOn(page, page.getByRole("link", { name: "Budgets" }));
    await page.getByText("No budgets yet").waitFor();
    await pressOn(page, page.getByRole("button", { name: "Set a budget" }));
    const dialog = page.getByRole("dialog", { name: "Set a budget" });
    await choose(page, dialog.getByRole("radio", { name: "Routines that have a tag" }));
    await pressOn(page, dialog.getByRole("button", { name: "Set budget" }));
    await dialog.getByText(/^Give an amount/).waitFor();
    await writeIn(page, dialog.getByLabel("Tag", { exact: true }), "team");
    await writeIn(page, dialog.getByLabel("Its value"), "docs");
    await writeIn(page, dialog.getByLabel("US dollars a month"), "12.50");
    await pressOn(page, dialog.getByRole("button", { name: "Set budget" }));
    await dialog.waitFor({ state: "hidden" });

    const row = page.getByRole("list", { name: "budgets" }).getByRole("listitem");
    await row.getByText("Routines tagged team: docs").waitFor();
    await row.getByText(/^\$0 of \$12\.50 spent in /).waitFor();
    await pressOn(page, row.getByRole("button", { name: /^Change/ }));
    const change = page.getByRole("dialog", { name: "Budget: Routines tagged team: docs" });
    await writeIn(page, change.getByLabel("US dollars a month"), "20");
    await pressOn(page, change.getByRole("button", { name: "Set budget" }));
    await row.getByText(/^\$0 of \$20\.00 spent in /).waitFor();
    assert.deepEqual(
      (await budgets()).map((budget) => [budget.scope, budget.monthly_usd]),
      [["tag", 20]],
    );

    await pressOn(page, row.getByRole("button", { name: /^Remove/ }));
    await pressOn(page, page.getByRole("alertdialog").getByRole("button", { name: "Remove budget" }));
    await page.getByText("No budgets yet").waitFor();
    assert.deepEqual(await budgets(), []);
  });
});

test("a routine's page says what it does and how its runs went, and its notes are written, put right and deleted", async (t) => {
  const bed = await demoBed();
  const routine = await createRoutine(bed, {
    name: "Keeps notes",
    prompt: "Look.",
    repositories: [{ url: "https://nowhere.invalid/acme/app" }],
    retry: { max: 0, backoff: "1s" },
    context_from: [{ routine: "self", last: 2 }],
    triggers: [{ type: "schedule", every: "weekly", timezone: "Asia/Tokyo" }],
  });
  const notePath = `/api/v1/routines/${routine.id}/notes/plan.md`;
  const { run_id: first, session_id: session } = await runNow(bed, routine.id);
  await untilEnded(bed, first);
  await visit(t, bed, { isByKeys: true }, async ({ page }) => {
    await page.goto(`/routines/${routine.id}`);
    const figures = page.getByRole("region", { name: "Figures of the last 30 days" });
    await figures.getByRole("img", { name: /^Runs of each day \(UTC\): 1 run in all\. 1 failed$/ }).waitFor();
    await pressOn(page, page.locator("summary", { hasText: "Each day in figures" }));
    assert.equal(await page.getByRole("row").count(), 2, "a head, and the day on which it ran");

    await openTab(page, page.getByRole("tab", { name: "Definition" }));
    await page.getByText(/^It starts each Monday at 09:00, in the time of Asia\/Tokyo/).waitFor();
    await page.getByText("A run is told of its own last 2 runs.").waitFor();
    await page.getByText(/^There it is .*9:00.*\(Asia\/Tokyo\)$/).waitFor();

    await openTab(page, page.getByRole("tab", { name: "Notes" }));
    await page.getByText("No notes yet").waitFor();
    await pressOn(page, page.getByRole("button", { name: "New note" }));
    const made = page.getByRole("dialog", { name: "New note" });
    await writeIn(page, made.getByLabel("Name"), "plan.md");
    await writeIn(page, made.getByLabel("Text"), "First the tests.");
    await pressOn(page, made.getByRole("button", { name: "Save note" }));
    await made.waitFor({ state: "hidden" });
    const row = page.getByRole("list", { name: "notes" }).getByRole("listitem");
    await pressOn(page, row.getByRole("button", { name: "plan.md", exact: true }));
    await row.getByText("First the tests.").waitFor();

    await pressOn(page, row.getByRole("button", { name: "Edit plan.md" }));
    const edited = page.getByRole("dialog", { name: "Edit plan.md" });
    await writeIn(page, edited.getByLabel("Text"), "First the docs.");
    const meanwhile = { text: "A run was here." };
    await ask(bed, { method: "PUT", path: notePath, body: meanwhile, answer: noteSchema });
    await pressOn(page, edited.getByRole("button", { name: "Save note" }));
    await edited.getByText("The note was not saved.").waitFor();
    await pressOn(page, edited.getByRole("button", { name: "Cancel" }));
    await row.getByText(meanwhile.text).waitFor();
    await pressOn(page, row.getByRole("button", { name: "Edit plan.md" }));
    await writeIn(page, edited.getByLabel("Text"), "First the docs.");
    await pressOn(page, edited.getByRole("button", { name: "Save note" }));
    await row.getByText("First the docs.").waitFor();
    assert.equal((await ask(bed, { method: "GET", path: notePath, answer: noteSchema })).text, "First the docs.");

    await pressOn(page, row.getByRole("button", { name: "Delete plan.md" }));
    await pressOn(page, page.getByRole("alertdialog").getByRole("button", { name: "Delete note" }));
    await page.getByText("No notes yet").waitFor();

    const { run_id: second } = await ask(bed, {
      method: "POST",
      path: `/api/v1/sessions/${session}/messages`,
      body: { text: "Once more." },
      answer: messageAnswerSchema,
    });
    await untilEnded(bed, second);
    await page.goto(`/runs/${second}`);
    await page.waitForURL(new RegExp(`/sessions/${session}#seq-\\d+$`));
    assert.notEqual(new URL(page.url()).hash, "#seq-1", "a later run does not begin where the session does");
  });
});

test("an environment is made with a secret that is missing and then set, used by a routine, changed, and archived", async (t) => {
  const bed = await demoBed();
  const readIt = () => ask(bed, { method: "GET", path: "/api/v1/environments/browser-ci", answer: environmentSchema });
  await visit(t, bed, { isByKeys: true }, async ({ page }) => {
    await page.goto("/environments");
    await pressOn(page, page.getByRole("link", { name: "New environment" }));
    await pressOn(page, page.getByRole("button", { name: "Make environment" }));
    await page
      .getByText(/1 to 40 lower-case letters/)
      .first()
      .waitFor();
    await writeIn(page, page.getByLabel("Name"), "browser-ci");
    await choose(page, page.getByRole("radio", { name: /^Only the hosts below/ }));
    await writeIn(page, page.getByLabel("Hosts", { exact: true }), "files.example.net\n*.example.com\n");
    await writeIn(page, page.getByLabel("Variables"), "LOG_LEVEL=debug\nTOKEN={{CI_TOKEN}}");
    await page.getByText(/CI_TOKEN is no secret yet/).waitFor();
    await writeIn(page, page.getByLabel("Setup script"), "echo ready");
    await pressOn(page, page.getByRole("button", { name: "Make environment" }));
    const row = page.getByRole("listitem").filter({ hasText: "browser-ci" });
    await row.getByText("Only 2 hosts").waitFor();
    await row.getByText("No routine names it").waitFor();
    const made = await readIt();
    assert.deepEqual(made.network, { level: "custom", allow: ["files.example.net", "*.example.com"] });
    assert.deepEqual(made.variables, { LOG_LEVEL: "debug", TOKEN: "{{CI_TOKEN}}" });

    await createRoutine(bed, { name: "Works in it", prompt: "Wait.", environment: "browser-ci" });
    await pressOn(page, row.getByRole("link", { name: "browser-ci" }));
    await pressOn(page, page.getByRole("link", { name: "Set CI_TOKEN" }));
    const dialog = page.getByRole("dialog", { name: "Set a secret" });
    await writeIn(page, dialog.getByLabel("Value"), "a value of the suite");
    await pressOn(page, dialog.getByRole("button", { name: "Set secret" }));
    await page.getByText("Named by browser-ci").waitFor();

    await page.goto(`/environments/${made.id}`);
    await page.getByRole("link", { name: "Works in it" }).waitFor();
    assert.equal(await page.getByText(/is no secret yet/).count(), 0);
    await choose(page, page.getByRole("radio", { name: /^Nothing/ }));
    await pressOn(page, page.getByRole("button", { name: "Save", exact: true }));
    await page.getByText("Saved.", { exact: true }).waitFor();
    assert.deepEqual((await readIt()).network, { level: "none", allow: [] });

    const path = `/api/v1/environments/${made.id}`;
    await ask(bed, { method: "PATCH", path, body: { setup: "echo other" }, answer: environmentSchema });
    await writeIn(page, page.getByLabel("Setup script"), "echo mine");
    await pressOn(page, page.getByRole("button", { name: "Save", exact: true }));
    await pressOn(page, page.getByRole("button", { name: "Begin again with what was saved" }));
    await page.getByLabel("Setup script").and(page.getByText("echo other")).waitFor();

    await pressOn(page, page.getByRole("button", { name: "Archive" }));
    const sure = page.getByRole("alertdialog", { name: "Archive browser-ci?" });
    await sure.getByText(/Works in it names it/).waitFor();
    await pressOn(page, sure.getByRole("button", { name: "Archive" }));
    await page.getByRole("button", { name: "Bring back" }).waitFor();
    assert.equal((await readIt()).status, "archived");
  });
});

test("what came to nothing is fired again once, and its notification is sent again", async (t) => {
  const bed = await demoBed();
  const webhook = "https://hook.example.com/browser-suite";
  await visit(t, bed, { isByKeys: true }, async ({ page }) => {
    await page.goto("/notifications");
    await page.getByText("Nobody is told of all routines").waitFor();
    await pressOn(page, page.getByRole("button", { name: "Add a rule" }));
    const dialog = page.getByRole("dialog", { name: "Add a rule" });
    await writeIn(page, dialog.getByLabel("Address"), "http://hook.example.com");
    await pressOn(page, dialog.getByRole("button", { name: "Save rule" }));
    await dialog
      .getByText(/must be an https address/)
      .first()
      .waitFor();
    await writeIn(page, dialog.getByLabel("Address"), webhook);
    await pressOn(page, dialog.getByRole("button", { name: "Save rule" }));
    await page.getByText("When a routine fails, misses its time or pauses itself, a webhook is sent.").waitFor();
    await pressOn(page, page.getByRole("button", { name: "Show its signing key" }));
    await page.getByText(/^whsec_/).waitFor();

    const other = "https://hook.example.com/somebody-else";
    await pressOn(page, page.getByRole("button", { name: `Change the rule for ${webhook}` }));
    const change = page.getByRole("dialog", { name: "Change the rule" });
    await tick(page, change.getByRole("checkbox", { name: "misses its time" }));
    const body = { rules: [{ on: ["failed"], webhook: other }] };
    await ask(bed, { method: "PUT", path: "/api/v1/notifications/rules", body, answer: instanceRulesSchema });
    await pressOn(page, change.getByRole("button", { name: "Save rule" }));
    await change.getByText(/changed or removed this rule meanwhile/).waitFor();
    const theirs = page.getByRole("button", { name: `Remove the rule for ${other}`, includeHidden: true });
    await theirs.waitFor();
    await pressOn(page, change.getByRole("button", { name: "Save as a new rule" }));
    await page.getByText("When a routine fails or pauses itself, a webhook is sent.").waitFor();
    await pressOn(page, theirs);
    await pressOn(page, page.getByRole("alertdialog").getByRole("button", { name: "Remove rule" }));
    await theirs.waitFor({ state: "hidden" });

    const routine = await createRoutine(bed, {
      name: "Lacks its secret",
      prompt: "Work.",
      variables: { TOKEN: "{{LATE_TOKEN}}" },
      triggers: [{ type: "event", name: "browser.letter" }],
    });
    await sendEvent(bed, { name: "browser.letter", payload: { ticket: "T-<b>7</b>" } });
    await page.goto("/dead-letters");
    const letter = page.getByRole("listitem").filter({ hasText: "Lacks its secret" });
    await letter.getByText(/LATE_TOKEN/).waitFor();
    await pressOn(page, letter.locator("summary", { hasText: "What had come" }));
    await letter.getByText(/T-<b>7<\/b>/).waitFor();
    await ask(bed, {
      method: "PUT",
      path: "/api/v1/secrets/LATE_TOKEN",
      body: { value: "a value of the suite" },
      answer: secretSchema,
    });
    await tabTo(page, letter.getByRole("button", { name: "Fire again" }));
    // As a key that bounces does.
    await Promise.all([page.keyboard.press("Enter"), page.keyboard.press("Enter")]);
    await letter.waitFor({ state: "hidden" });
    const path = `/api/v1/routines/${routine.id}/runs`;
    const { data } = await ask(bed, { method: "GET", path, answer: pageSchema(listedRunSchema) });
    assert.equal(data.length, 2);
    await select(page, page.getByLabel("State"), "Fired again");
    await letter.getByRole("link", { name: "The new run" }).waitFor();

    await page.goto("/notifications");
    const sent = page.getByRole("list", { name: "notifications" }).getByRole("listitem").filter({ hasText: webhook });
    // It is listed once a try has ended, which is when no name server answers; and the list is read every fifteen seconds.
    await sent.first().getByText("Lacks its secret fails").waitFor({ timeout: 60_000 });
    await pressOn(page, sent.first().getByRole("button", { name: "Send again" }));
    await sent
      .first()
      .getByText(/[2-9] tries/)
      .waitFor({ timeout: 60_000 });
    await pressOn(page, page.getByRole("button", { name: `Remove the rule for ${webhook}` }));
    await pressOn(page, page.getByRole("alertdialog").getByRole("button", { name: "Remove rule" }));
    await page.getByText("Nobody is told of all routines").waitFor();
  });
});

test("the instance says what is wrong with it, and looks again", async (t) => {
  const bed = await demoBed();
  await visit(t, bed, { isByKeys: true }, async ({ page }) => {
    await page.goto("/doctor");
    await pressOn(page, page.locator("summary", { hasText: "things are fine" }));
    const fine = page.getByRole("list", { name: "What is fine" }).getByRole("listitem");
    await fine.filter({ hasText: "queue" }).first().waitFor();
    const looked = page.waitForResponse((response) => response.url().endsWith("/api/v1/instance/diagnosis"));
    await pressOn(page, page.getByRole("button", { name: "Look again" }));
    assert.equal((await looked).status(), 200);
  });
});

test("by the keyboard alone: a pool is made, its token shown once with the command, another issued, and the pool deleted", async (t) => {
  const bed = await demoBed();
  await visit(t, bed, { isByKeys: true }, async ({ page }) => {
    await page.goto("/pools");
    const pools = page.getByRole("list", { name: "pools" });
    await pools.getByRole("listitem").filter({ hasText: "default" }).first().waitFor();
    await pressOn(page, page.getByRole("button", { name: "New pool" }));
    const dialog = page.getByRole("dialog", { name: "New pool" });
    await writeIn(page, dialog.getByLabel("Name"), "Not A Name");
    await pressOn(page, dialog.getByRole("button", { name: "Make pool" }));
    await dialog
      .getByText(/1 to 40 lower-case letters/)
      .first()
      .waitFor();
    await writeIn(page, dialog.getByLabel("Name"), "browser-gpu");
    await pressOn(page, dialog.getByRole("button", { name: "Make pool" }));
    const shown = page.getByRole("dialog", { name: "Token of browser-gpu" });
    const token = (await shown.locator("code").first().textContent()) ?? "";
    assert.ok(token.length > 20, token);
    await shown.getByText(`npx reveille runner --url ${bed.url} --token-file runner-token`).waitFor();
    await pressOn(page, shown.getByRole("button", { name: "I have kept it" }));
    await shown.waitFor({ state: "hidden" });
    assert.ok(!(await page.content()).includes(token));
    const row = pools.getByRole("listitem").filter({ hasText: "browser-gpu" });
    await row.getByText("No runner has come.").waitFor();
    await pressOn(page, row.getByRole("button", { name: "New token for browser-gpu" }));
    await shown.getByText(/^The token before it is accepted until/).waitFor();
    await pressOn(page, shown.getByRole("button", { name: "I have kept it" }));
    await pressOn(page, row.getByRole("button", { name: "Revoke tokens of browser-gpu" }));
    await pressOn(page, page.getByRole("alertdialog").getByRole("button", { name: "Revoke tokens" }));
    await row.getByText("No token in force").waitFor();
    await pressOn(page, row.getByRole("button", { name: "Delete browser-gpu" }));
    await pressOn(page, page.getByRole("alertdialog").getByRole("button", { name: "Delete pool" }));
    await row.waitFor({ state: "hidden" });
  });
});
