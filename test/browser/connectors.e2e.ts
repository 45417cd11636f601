/** Connectors as people meet them: made, logged in to through a real browser, used in a routine, and deleted. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import type { Page } from "playwright-core";
import { demoBed } from "./support/bed.ts";
import { IssuesServer } from "./support/issues-server.ts";
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
  });
});
