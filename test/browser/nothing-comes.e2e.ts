/** What the app is made of does not come, or the instance does not answer: no page stays blank, and each says what to do. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Page } from "playwright-core";
import { until } from "#test/scripts/support/until.ts";
import { createRoutine, gatedBed } from "./support/bed.ts";
import { visit } from "./support/visitor.ts";

const NAME = "Comes late";
/** By the page's clock, which is put forward: longer than anybody is left without a word, and than a call is waited for. */
const LONG_MS = 10_000;
const TOO_LONG_MS = 31_000;

const isThere = (page: Page) => page.getByRole("heading", { level: 1, name: NAME }).waitFor();

test("files that do not come are told of and asked for again, whichever they are", async (t) => {
  const bed = await gatedBed();
  const { id } = await createRoutine(bed, { name: NAME, prompt: "Wait." });
  await visit(t, bed, {}, async ({ page }) => {
    await page.route(/assets\/shared-.*\.js/, (route) => route.abort(), { times: 1 });
    await page.goto(`/routines/${id}`, { waitUntil: "commit" });
    await isThere(page);
  });
  await visit(t, bed, {}, async ({ page }) => {
    const { promise: askedTwice, resolve: askTwice } = Promise.withResolvers<void>();
    let times = 0;
    await page.route(/assets\/shared-.*\.js/, (route) => {
      times += 1;
      if (times === 2) askTwice();
      return route.abort();
    });
    await page.goto(`/routines/${id}`, { waitUntil: "commit" });
    // It is not asked for a third time by itself.
    await askedTwice;
    await page.getByRole("alert").getByText("A part of it could not be loaded.").waitFor();
    await page.unrouteAll();
    await page.getByRole("button", { name: "load it again" }).click();
    await isThere(page);
  });
  for (const file of [/assets\/index-.*\.js/, /assets\/style-.*\.css/]) {
    await visit(t, bed, {}, async ({ page }) => {
      await page.clock.install();
      const { promise: asked, resolve: ask } = Promise.withResolvers<void>();
      await page.route(file, () => ask());
      await page.goto(`/routines/${id}`, { waitUntil: "commit" });
      await asked;
      // It is asked for before the page is read up to its place. What counts the time, and whatever that changes, are there
      // once the page is read to its end: what has been counted down before would find nothing.
      await until("the page's end", 20_000, () => page.evaluate(() => document.readyState !== "loading"));
      await page.clock.runFor(LONG_MS);
      if (file.source.includes("index")) await page.getByText("It takes longer than it should.").waitFor();
      // Without its style a page looks bare, and has all its words.
      else await isThere(page);
    });
  }
  await visit(t, bed, {}, async ({ page }) => {
    await page.clock.install();
    await page.route(/assets\/routine-page-.*\.js/, () => undefined);
    await page.goto(`/routines/${id}`);
    await page.getByText("Loading the page").waitFor({ state: "attached" });
    await page.clock.runFor(LONG_MS);
    await page.getByText(/^Loading the page takes longer than it should\. .*reload the page/).waitFor();
    await page.unrouteAll({ behavior: "ignoreErrors" });
    await page.route(/assets\/routine-page-.*\.js/, (route) => route.abort());
    await page.reload();
    await page.getByRole("alert").getByText("A part of the app could not be loaded.").waitFor();
    await page.unrouteAll();
    await page.getByRole("button", { name: "Try again" }).click();
    await isThere(page);
  });
});

test("an answer that does not come is waited for no longer than half a minute", async (t) => {
  const bed = await gatedBed();
  const { id } = await createRoutine(bed, { name: NAME, prompt: "Wait." });
  await visit(t, bed, {}, async ({ page }) => {
    await page.clock.install();
    await page.route(`**/api/v1/routines/${id}`, () => undefined);
    await page.goto(`/routines/${id}`);
    await page.getByText("Loading the routine").waitFor({ state: "attached" });
    await page.clock.runFor(LONG_MS);
    await page.getByText(/^Loading the routine takes longer than it should/).waitFor();
    await page.clock.runFor(TOO_LONG_MS);
    const alert = page.getByRole("alert");
    await alert.getByText("Reveille has not answered in time.").waitFor();
    await page.unrouteAll({ behavior: "ignoreErrors" });
    await alert.getByRole("button", { name: "Try again" }).click();
    await isThere(page);
    assert.equal(await alert.count(), 0);
  });
});
