/** Settings that are seldom needed, set in the pages: what the form says is what is saved. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { routineSchema } from "#protocol/routine.ts";
import { ask, createRoutine, demoBed } from "./support/bed.ts";
import { pressOn, tabTo, writeIn } from "./support/keyboard.ts";
import { visit } from "./support/visitor.ts";

test("sessions of a key, rules by e-mail and for some results, and a token that Notion hands over, by the keyboard alone", async (t) => {
  const bed = await demoBed();
  const routine = await createRoutine(bed, {
    name: "Seldom set",
    prompt: "Wait.",
    notify: [{ on: ["succeeded"], slack: "{{SLACK_URL}}" }],
    triggers: [{ type: "webhook", source: "notion" }],
  });
  const endpoint = (routine.triggers[0]?.endpoint?.url ?? "").replace(bed.url, bed.origin);
  const handed = await fetch(endpoint, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ verification_token: "secret_of_notion_0123456789" }),
  });
  assert.ok(handed.ok, await handed.text());
  await visit(t, bed, { isByKeys: true }, async ({ page }) => {
    await page.goto(`/routines/${routine.id}/edit`);
    const tokens = page.getByRole("region", { name: "Tokens to confirm" });
    await tokens.getByText("secret_of_notion_0123456789").waitFor();
    await pressOn(page, tokens.getByRole("button", { name: "Confirm" }));
    await page.getByText("Has a secret").waitFor();
    await tokens.waitFor({ state: "hidden" });

    await pressOn(page, page.getByRole("button", { name: /^Sessions/ }));
    await tabTo(page, page.getByLabel("Each run has as its session"));
    await page.keyboard.press("ArrowDown");
    await writeIn(page, page.getByLabel("Key", { exact: true }), "{{webhook.entity.id}}");

    await pressOn(page, page.getByRole("button", { name: /^Notifications/ }));
    await tabTo(page, page.getByRole("combobox", { name: "By" }));
    assert.equal(await page.getByRole("combobox", { name: "By" }).inputValue(), "slack");
    await page.keyboard.press("End");
    await writeIn(page, page.getByLabel("E-mail address"), "team@example.com");
    await tabTo(page, page.getByRole("checkbox", { name: "nothing to do" }));
    await page.keyboard.press("Space");
    await pressOn(page, page.getByRole("button", { name: "Save", exact: true }));
    // This instance has no way to send e-mail: it says so beside the rule, and nothing that was written is lost.
    await page
      .getByRole("alert")
      .getByText(/EMAIL_FROM/)
      .first()
      .waitFor();
    assert.equal(await page.getByLabel("E-mail address").inputValue(), "team@example.com");
    await tabTo(page, page.getByRole("combobox", { name: "By" }));
    await page.keyboard.press("Home");
    await writeIn(page, page.getByLabel("Address", { exact: true }), "https://example.com/hook");
    await pressOn(page, page.getByRole("button", { name: "Save", exact: true }));
    await page.waitForURL((url) => !url.pathname.endsWith("/edit"));
  });
  const path = `/api/v1/routines/${routine.id}`;
  const { session, session_key, notify } = await ask(bed, { method: "GET", path, answer: routineSchema });
  assert.deepEqual(
    { session, session_key, notify },
    {
      session: "keyed",
      session_key: "{{webhook.entity.id}}",
      notify: [{ on: ["succeeded"], skip: ["nothing_to_do"], webhook: "https://example.com/hook" }],
    },
  );
});

test("how many containers a pool keeps ready is set where it has containers", async (t) => {
  const bed = await demoBed();
  await visit(t, bed, {}, async ({ page }) => {
    const warm = { containers: 0, hours_per_month: 0, ready: 0, hours_used: 0, why: null, updated_at: null };
    let sent: unknown = null;
    // A local instance without an engine has no containers: it answers as one that has.
    await page.route(/\/api\/v1\/pools\?/, async (route) => {
      const response = await route.fetch();
      const { data, ...rest } = await response.json();
      const pools = data.map((pool: object) => ({ ...pool, kind: "container", warm: { ...warm, updated_by: null } }));
      await route.fulfill({ response, json: { ...rest, data: pools } });
    });
    await page.route(/\/api\/v1\/pools\/default$/, async (route) => {
      sent = route.request().postDataJSON();
      await route.fulfill({ json: {} });
    });
    await page.goto("/pools");
    await pressOn(page, page.getByRole("button", { name: "Containers kept ready for default" }));
    const dialog = page.getByRole("dialog", { name: "Containers kept ready for default" });
    await writeIn(page, dialog.getByLabel("Containers"), "2");
    await writeIn(page, dialog.getByLabel("Hours of waiting in a month"), "300");
    await page.keyboard.press("Enter");
    await dialog.waitFor({ state: "hidden" });
    assert.deepEqual(sent, { warm: { containers: 2, hours_per_month: 300 } });
  });
});
