/** A person signs in, by the printed address or by the owner token, and out. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { BrowserContext, Page } from "playwright-core";
import { routineSchema } from "#protocol/routine.ts";
import { ask, createRoutine, gatedBed } from "./support/bed.ts";
import { playRun, RUNNING } from "./support/played-run.ts";
import { openSession, untilConnection } from "./support/transcript.ts";
import { visit } from "./support/visitor.ts";

function signInForm(page: Page) {
  return {
    heading: page.getByRole("heading", { name: "Sign in" }),
    token: page.getByLabel("Owner token"),
    submit: page.getByRole("button", { name: "Sign in" }),
  };
}

const homeHeading = (page: Page) => page.getByRole("heading", { level: 1, name: "Home" });

test("the printed address signs in, once, and its code is gone from the address", async (t) => {
  const bed = await gatedBed();
  const signInUrl = await bed.signInUrl();
  await visit(t, bed, { isSignedIn: false }, async ({ page }) => {
    await page.goto(signInUrl);
    await homeHeading(page).waitFor();
    assert.equal(page.url(), `${bed.url}/`);
    await page.reload();
    await homeHeading(page).waitFor();
    await page.goBack();
    assert.ok(!page.url().includes("code="));
  });
  await visit(t, bed, { isSignedIn: false }, async ({ page }) => {
    await page.goto(signInUrl);
    await signInForm(page).heading.waitFor();
    assert.equal(page.url(), `${bed.url}/`);
    await page.getByText(/code/i).first().waitFor();
  });
});

test("a wrong token is told what to do, the right one signs in, and signing out shuts the door", async (t) => {
  const bed = await gatedBed();
  await visit(t, bed, { isSignedIn: false }, async ({ page, context }) => {
    await page.goto(`/routines/${bed.demoRoutineId}`);
    const form = signInForm(page);
    await form.token.fill("rvl_owner_wrong");
    await form.submit.click();
    const complaint = page.getByRole("alert");
    await complaint.waitFor();
    assert.match((await complaint.textContent()) ?? "", /token/i);
    assert.equal(await form.token.getAttribute("type"), "password");

    await form.token.fill(bed.ownerToken);
    await form.submit.click();
    await page.getByRole("heading", { level: 1, name: "Changelog demo" }).waitFor();
    assert.equal(page.url(), `${bed.url}/routines/${bed.demoRoutineId}`);

    const [cookie] = await context.cookies();
    await page.getByRole("button", { name: "Sign out" }).click();
    await form.heading.waitFor();
    assert.deepEqual(await context.cookies(), []);
    await page.reload();
    await form.heading.waitFor();
    const withOldCookie = await fetch(`${bed.origin}/api/v1/routines`, {
      headers: { cookie: `${cookie?.name}=${cookie?.value}` },
    });
    assert.equal(withOldCookie.status, 401);
  });
});

test("what is being written outlives the sign-in: signed in again over it, one goes on and saves", async (t) => {
  const bed = await gatedBed();
  const routine = await createRoutine(bed, { name: "Outlives", prompt: "At first." });
  await visit(t, bed, {}, async ({ page, context }) => {
    await page.goto(`/routines/${routine.id}/edit`);
    const prompt = page.getByLabel("Prompt", { exact: true });
    await prompt.fill("Written for an hour.");
    await context.clearCookies();
    await page.getByRole("button", { name: "Save", exact: true }).click();
    const over = page.getByRole("dialog", { name: "Sign in again" });
    await over.waitFor();
    for (let stops = 0; stops < 6; stops += 1) {
      await page.keyboard.press("Tab");
      const isInside = await over.evaluate(
        (element) => document.activeElement === document.body || element.contains(document.activeElement),
      );
      assert.ok(isInside, "Tab stays in the sign-in");
    }
    const read = await readableNames(context, page);
    assert.ok(read.includes("Owner token"), read.join(", "));
    assert.ok(!read.includes("Prompt"), "nothing of the page under it can be read");
    await page.keyboard.press("Control+k");
    await page.keyboard.press("Escape");
    assert.equal(await page.getByRole("dialog", { name: "Search" }).count(), 0);
    await over.waitFor();

    await over.getByLabel("Owner token").fill("rvl_owner_wrong");
    await page.keyboard.press("Enter");
    await over.getByRole("alert").waitFor();
    await over.getByLabel("Owner token").fill(bed.ownerToken);
    await page.keyboard.press("Enter");
    await over.waitFor({ state: "detached" });
    assert.equal(await prompt.inputValue(), "Written for an hour.");
    assert.equal(await page.evaluate(() => document.activeElement?.textContent), "Save", "the focus is back");
    assert.match(await page.title(), /^Edit Outlives/);
    await page.keyboard.press("Enter");
    await page.waitForURL(`${bed.url}/routines/${routine.id}`);
  });
  const path = `/api/v1/routines/${routine.id}`;
  assert.equal((await ask(bed, { method: "GET", path, answer: routineSchema })).prompt, "Written for an hour.");
});

test("a dialog and a live session outlive it too, and a sign-in in another window counts", async (t) => {
  const bed = await gatedBed();
  const run = await playRun(t, bed, "Outlives too");
  await run.report([RUNNING]);
  await visit(t, bed, {}, async ({ page, context }) => {
    await page.goto("/secrets");
    await page.getByRole("button", { name: "Set a secret" }).click();
    const dialog = page.getByRole("dialog", { name: "Set a secret" });
    await dialog.getByLabel("Name").fill("KEPT_WHILE_AWAY");
    await dialog.getByLabel("Value").fill("a value of the suite");
    await context.clearCookies();
    await dialog.getByRole("button", { name: "Set secret" }).click();
    const over = page.getByRole("dialog", { name: "Sign in again" });
    await over.getByLabel("Owner token").fill(bed.ownerToken);
    await page.keyboard.press("Enter");
    await over.waitFor({ state: "detached" });
    await dialog.getByRole("button", { name: "Set secret" }).click();
    await dialog.waitFor({ state: "hidden" });

    await openSession(page, run.sessionId);
    await untilConnection(page, "live");
    await context.clearCookies();
    await bed.network.cut();
    await untilConnection(page, "offline");
    await bed.network.mend();
    await over.waitFor();
    const other = await context.newPage();
    await other.goto("/");
    await signInForm(other).token.fill(bed.ownerToken);
    await signInForm(other).submit.click();
    await homeHeading(other).waitFor();
    await page.evaluate(() => window.dispatchEvent(new Event("focus")));
    await over.waitFor({ state: "detached" });
    await untilConnection(page, "live");
  });
});

/** The names of all that a screen reader finds. */
async function readableNames(context: BrowserContext, page: Page): Promise<string[]> {
  const session = await context.newCDPSession(page);
  const { nodes } = await session.send("Accessibility.getFullAXTree");
  return nodes.flatMap(({ ignored, name }) => (ignored || name === undefined ? [] : [String(name.value)]));
}
