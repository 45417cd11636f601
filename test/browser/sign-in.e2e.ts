/** A person signs in, by the printed address or by the owner token, and out. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Page } from "playwright-core";
import { gatedBed } from "./support/bed.ts";
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
  await visit(t, bed, { isSignedIn: false }, async ({ page }) => {
    await page.goto(bed.signInUrl);
    await homeHeading(page).waitFor();
    assert.equal(page.url(), `${bed.url}/`);
    await page.reload();
    await homeHeading(page).waitFor();
    await page.goBack();
    assert.ok(!page.url().includes("code="));
  });
  await visit(t, bed, { isSignedIn: false }, async ({ page }) => {
    await page.goto(bed.signInUrl);
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
