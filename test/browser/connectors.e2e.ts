/** Connectors as people meet them: made, logged in to through a real browser, used in a routine, and deleted. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import type { Page } from "playwright-core";
import { connectorSchema } from "#protocol/connector.ts";
import { routineSchema } from "#protocol/routine.ts";
import { secretSchema } from "#protocol/secret.ts";
import { until } from "#test/scripts/support/until.ts";
import { ask, type Bed, createRoutine, demoBed } from "./support/bed.ts";
import { addTrigger, openNew, save, savedId } from "./support/editor.ts";
import { IssuesServer } from "./support/issues-server.ts";
import { pressOn, tabTo, writeIn } from "./support/keyboard.ts";
import { visit } from "./support/visitor.ts";

const servers: IssuesServer[] = [];
after(async () => {
  for (const server of servers) await server.close();
});

async function issuesServer(): Promise<IssuesServer> {
  const server = await IssuesServer.start();
  servers.push(server);
  return server;
}

/** Other stories share the instance: what of this one's would be seen in theirs is taken away. */
async function remove({ origin, ownerToken }: Bed, ...paths: string[]): Promise<void> {
  for (const path of paths) {
    const headers = { authorization: `Bearer ${ownerToken}` };
    const answer = await fetch(`${origin}/api/v1/${path}`, { method: "DELETE", headers });
    assert.ok(answer.ok, `${path}: ${answer.status}`);
  }
}

const tools = (page: Page) => page.getByRole("list", { name: "Tools" });

test("a connector is made and logged in to at its authorization server, which is refused first, checked, and logged out of", async (t) => {
  const bed = await demoBed();
  const server = await issuesServer();
  await visit(t, bed, { mayReach: [server.origin] }, async ({ page }) => {
    await page.goto("/connectors");
    await page.getByText("No connectors yet").waitFor();
    await page.getByRole("link", { name: "New connector" }).click();
    await page.getByLabel("Name", { exact: true }).fill("Issues");
    await page.getByLabel("Address", { exact: true }).fill(server.url);
    await page.getByRole("radio", { name: /^With a person’s login/ }).check();
    await page.getByRole("button", { name: "Make connector" }).click();
    await page
      .getByText(/1 to 40 lower-case letters/)
      .first()
      .waitFor();
    await page.getByLabel("Name", { exact: true }).fill("issues");
    await page.getByRole("button", { name: "Make connector" }).click();
    await page.getByRole("heading", { level: 1, name: "issues" }).waitFor();
    const address = page.url();
    await page.getByText("Needs a login").waitFor();

    await page.getByRole("button", { name: "Log in", exact: true }).click();
    await page.getByRole("button", { name: "Deny" }).click();
    await page.getByText(/gives no login: access_denied/).waitFor();
    await page.getByRole("link", { name: "Back to the connector" }).click();
    await page.getByText("Nobody is logged in.").first().waitFor();

    await page.getByRole("button", { name: "Log in", exact: true }).click();
    await page.getByRole("button", { name: "Allow" }).click();
    await page.getByText(/^You are logged in\./).waitFor();
    assert.equal(page.url(), `${address}?login=done`);
    const login = page.getByRole("region", { name: "Login" });
    await login.getByText("in a signed-in browser").waitFor();
    await login.getByText("issues:read").waitFor();
    await tools(page).getByText("<img src=x").waitFor();
    assert.equal(await tools(page).locator("a, img").count(), 0, "descriptions are text alone");

    await page.getByRole("button", { name: "Check now" }).click();
    await page.getByText("It answers, and has told its tools: 2 tools.").waitFor();

    const routine = await createRoutine(bed, { name: "Sorts issues", prompt: "Sort.", connectors: ["issues"] });
    assert.equal(server.refreshTokens.size, 1);
    await page.getByRole("button", { name: "Log out" }).click();
    await page.getByRole("alertdialog").getByRole("button", { name: "Log out" }).click();
    await page.getByText("Needs a login").waitFor();
    await until("the login is revoked", 20_000, () => server.refreshTokens.size === 0);
    await page.goto("/");
    const row = page.getByRole("listitem").filter({ hasText: "Connector issues" });
    await row.getByText(/It is for runs of Sorts issues\.$/).waitFor();
    await row.getByRole("link", { name: "Look at it" }).click();
    await page.getByRole("list", { name: "Routines that name it" }).getByText("Sorts issues").waitFor();

    await page.getByRole("button", { name: "Delete" }).click();
    const sure = page.getByRole("alertdialog", { name: "Delete issues?" });
    await sure.getByText("Sorts issues names it: until that is changed, it can’t be deleted.").waitFor();
    await sure.getByRole("button", { name: "Delete connector" }).click();
    await sure.getByText("Sorts issues names it, so it can be neither renamed nor deleted.").waitFor();
    await remove(bed, `routines/${routine.id}`);
    await sure.getByRole("button", { name: "Delete connector" }).click();
    await page.getByText("No connectors yet").waitFor();
  });
});

test("a routine gets some tools of a connector and a watch, which is previewed and reset, and says why it can't look", async (t) => {
  const bed = await demoBed();
  const server = await issuesServer();
  await ask(bed, {
    method: "PUT",
    path: "/api/v1/secrets/ISSUES_TOKEN",
    body: { value: "a token of the suite" },
    answer: secretSchema,
  });
  await visit(t, bed, {}, async ({ page }) => {
    await page.goto("/connectors/new");
    await page.getByLabel("Name", { exact: true }).fill("tracked");
    await page.getByLabel("Address", { exact: true }).fill(server.urlWithToken);
    await page.getByRole("radio", { name: /^With a token/ }).check();
    await page.getByLabel("Secret with the token").fill("ISSUE_TOKEN");
    await page.getByText(/ISSUE_TOKEN is no secret yet/).waitFor();
    await page.getByLabel("Secret with the token").fill("ISSUES_TOKEN");
    await page.getByRole("button", { name: "Make connector" }).click();
    await page.getByText("Ready").waitFor();
    await page.getByText("With the token in ISSUES_TOKEN").waitFor();

    await openNew(page, "empty");
    await page.getByLabel("Name", { exact: true }).fill("Watches issues");
    await page.getByLabel("Prompt", { exact: true }).fill("Sort it.");
    await page.getByRole("button", { name: /^Connectors/ }).click();
    await page.getByRole("checkbox", { name: /^tracked Ready/ }).check();
    const chosen = page.getByRole("group", { name: "Connector tracked" });
    await chosen.getByRole("checkbox", { name: /^Only tools of which/ }).check();
    await chosen.getByRole("checkbox", { name: "Only the tools that are chosen here" }).check();
    await chosen.getByRole("checkbox", { name: /^list_issues/ }).check();
    await chosen.getByLabel("Let through by name or pattern").fill("get_*");
    const card = await addTrigger(page, "Watch");
    await card.getByLabel("Connector", { exact: true }).selectOption("tracked");
    await card.getByLabel("Tool", { exact: true }).fill("create_issue");
    await card.getByText(/^Its server does not say that this one changes nothing/).waitFor();
    await card.getByLabel("Tool", { exact: true }).fill("list_issues");
    await card.getByLabel("Arguments").fill('{"state": ');
    await card.getByText(/^This is not JSON/).waitFor();
    await card.getByLabel("Looks every").fill("24h");
    await card.getByLabel("Items").fill("issues");
    await page.getByRole("button", { name: /^Gate/ }).click();
    await page.getByRole("checkbox", { name: "Ask a connector before it wakes" }).check();
    const gate = page.locator("section").filter({ has: page.getByRole("button", { name: /^Gate/ }) });
    await gate.getByLabel("Tool", { exact: true }).fill("list_issues");
    await gate.getByLabel("It wakes only if").fill("count >");
    await save(page);
    await page
      .getByRole("alert")
      .getByText(/arguments/i)
      .first()
      .waitFor();
    await card.getByLabel("Arguments").fill('{"state": "triage"}');
    await save(page);
    await gate.locator("[data-path='gate.when'][aria-invalid='true']").waitFor();
    await gate.getByLabel("It wakes only if").fill("count > 5");
    await save(page);
    const id = await savedId(page);
    const path = `/api/v1/routines/${id}`;
    const saved = await ask(bed, { method: "GET", path, answer: routineSchema });
    assert.deepEqual(saved.connectors, [
      { name: "tracked", tools: { allow: ["list_issues", "get_*"], read_only: true } },
    ]);
    assert.deepEqual(
      saved.triggers.map((trigger) => trigger.type === "watch" && trigger.arguments),
      [{ state: "triage" }],
    );
    assert.deepEqual(saved.gate, { connector: "tracked", tool: "list_issues", when: "count > 5" });
    await page.getByRole("tab", { name: "Definition" }).click();
    await page.getByText(/^Of what comes by itself it asks list_issues of tracked first/).waitFor();
    await page.getByText("some tools of tracked: only list_issues, get_*; only what changes nothing.").waitFor();
    await page.getByText(/^Last seen .*, 1 item known; looks again /).waitFor();

    server.issues = [
      { id: "ENG-1", title: "Crash at every start" },
      ...server.issues.slice(1),
      { id: "ENG-2", title: "Typo" },
    ];
    await page.goto(`/routines/${id}/edit`);
    await card.getByRole("button", { name: "Preview" }).click();
    await card.getByText("2 items, of which 2 would wake it.").waitFor();
    const items = card.getByRole("list", { name: "Items" });
    await items.getByRole("listitem").filter({ hasText: "ENG-1" }).getByText("Changed").waitFor();
    await items.getByRole("listitem").filter({ hasText: "ENG-2" }).getByText("New").waitFor();
    await card.getByRole("button", { name: "Reset" }).click();
    await page.getByRole("alertdialog").getByRole("button", { name: "Forget it" }).click();
    await card.getByText(/^What was known is forgotten/).waitFor();
    await card.getByText(/, 2 items known/).waitFor();

    server.isDown = true;
    await card.getByRole("button", { name: "Preview" }).click();
    await card.getByText(/^Nothing could be seen\./).waitFor();
    await ask(bed, { method: "POST", path: "/api/v1/connectors/tracked/check", answer: connectorSchema });
    await page.goto("/connectors");
    const row = page.getByRole("listitem").filter({ hasText: "tracked" });
    await row.getByText("Unreachable").waitFor();
    await row.getByText("2 tools").waitFor();
    await row.getByText("Used by Watches issues").waitFor();
    await remove(bed, `routines/${id}`, "connectors/tracked", "secrets/ISSUES_TOKEN");
  });
});

test("a connector is made, logged in to, checked, given to a routine and logged out of by the keyboard alone", async (t) => {
  const bed = await demoBed();
  const server = await issuesServer();
  const routine = await createRoutine(bed, { name: "By keyboard", prompt: "Wait." });
  await visit(t, bed, { mayReach: [server.origin] }, async ({ page }) => {
    await page.goto("/");
    await page.getByRole("heading", { level: 1, name: "Home" }).waitFor();
    await page.keyboard.press("Control+k");
    await page.getByRole("combobox", { name: "Go to, or do" }).and(page.locator(":focus")).waitFor();
    await page.keyboard.type("connectors");
    await page.getByRole("option", { name: "Connectors" }).waitFor();
    await page.keyboard.press("Enter");
    await pressOn(page, page.getByRole("link", { name: "New connector" }));
    await writeIn(page, page.getByLabel("Name", { exact: true }), "keyed");
    await writeIn(page, page.getByLabel("Address", { exact: true }), server.url);
    await tabTo(page, page.getByRole("radio", { name: /^With nothing/ }));
    for (const _kind of ["token", "headers", "login"]) await page.keyboard.press("ArrowDown");
    await pressOn(page, page.getByRole("button", { name: "Make connector" }));
    await pressOn(page, page.getByRole("button", { name: "Log in", exact: true }));
    await pressOn(page, page.getByRole("button", { name: "Allow" }));
    await page.getByText(/^You are logged in\./).waitFor();
    await pressOn(page, page.getByRole("button", { name: "Check now" }));
    await page.getByText(/^It answers/).waitFor();
    const address = page.url();

    await page.goto(`/routines/${routine.id}/edit`);
    await pressOn(page, page.getByRole("button", { name: /^Connectors/ }));
    await tabTo(page, page.getByRole("checkbox", { name: /^keyed/ }));
    await page.keyboard.press("Space");
    await pressOn(page, page.getByRole("button", { name: "Save", exact: true }));
    await page.waitForURL((url) => !url.pathname.endsWith("/edit"));

    await page.goto(address);
    await page.getByRole("list", { name: "Routines that name it" }).getByText("By keyboard").waitFor();
    await pressOn(page, page.getByRole("button", { name: "Log out" }));
    await pressOn(page, page.getByRole("alertdialog").getByRole("button", { name: "Log out" }));
    await page.getByText("Nobody is logged in.").first().waitFor();
  });
  const path = `/api/v1/routines/${routine.id}`;
  assert.deepEqual((await ask(bed, { method: "GET", path, answer: routineSchema })).connectors, ["keyed"]);
  await remove(bed, `routines/${routine.id}`, "connectors/keyed");
});
