/** The record of what pages must not do: it sees each of those things, so that an empty record means something. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { until } from "#test/scripts/support/until.ts";
import { gatedBed } from "./support/bed.ts";
import { visit } from "./support/visitor.ts";

test("what a page must not do is recorded, and the pages' policy stops it", async (t) => {
  const bed = await gatedBed();
  await visit(t, bed, {}, async ({ page, faults }) => {
    await page.goto("/");
    await page.getByRole("heading", { level: 1, name: "Home" }).waitFor();
    const see = async (what: RegExp) => {
      await until(`${what} in ${JSON.stringify(faults)}`, 20_000, () => faults.some((fault) => what.test(fault)));
      faults.length = 0;
    };
    await page.evaluate(() => {
      const script = document.createElement("script");
      script.textContent = "window.ran = true";
      document.body.append(script);
    });
    await see(/policy violation: script-src/);
    assert.equal(await page.evaluate(() => "ran" in window), false);
    await page.evaluate(() => document.body.append(document.createElement("style")));
    await page.evaluate(() => document.body.setAttribute("style", "color: red"));
    await see(/policy violation: style-src/);
    await page.evaluate(() => {
      new Image().src = "https://elsewhere.example/pixel.png";
    });
    await see(/policy violation: img-src/);
    await page.evaluate(() => fetch("https://elsewhere.example/data").catch(() => undefined));
    await see(/policy violation: connect-src/);
    await page.evaluate(() => {
      setTimeout(() => alert("dialog"));
    });
    await see(/^dialog: dialog/);
    await page.evaluate(() => {
      setTimeout(() => {
        throw new Error("nobody catches it");
      });
    });
    await see(/^uncaught: .*nobody catches it/);
    await page.evaluate(() => {
      window.open("about:blank");
    });
    await see(/^window: /);
    await page.evaluate(() => {
      location.href = "https://elsewhere.example/page";
    });
    await see(/^request to https:\/\/elsewhere\.example\/page/);
  });
});
