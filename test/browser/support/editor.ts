/** The editor of routines, as a person meets it. */
import assert from "node:assert/strict";
import type { Locator, Page } from "playwright-core";

/** What somebody does with mouse and keyboard, counted. */
export class Counted {
  clicks = 0;
  typed = 0;

  async click(target: Locator): Promise<void> {
    this.clicks += 1;
    await target.click();
  }

  async type(target: Locator, text: string): Promise<void> {
    this.typed += 1;
    await target.fill(text);
  }
}

export async function openNew(page: Page, template: string): Promise<void> {
  await page.goto(`/routines/new?template=${template}`);
  await page.getByLabel("Prompt", { exact: true }).waitFor();
}

/** Adds a trigger. @returns its card. */
export async function addTrigger(page: Page, kind: string): Promise<Locator> {
  await page.getByRole("group", { name: "Add a trigger" }).getByRole("button", { name: kind, exact: true }).click();
  return page.getByRole("group", { name: /^\d+\. / }).last();
}

export function save(page: Page): Promise<void> {
  return page.getByRole("button", { name: "Save", exact: true }).click();
}

/** The id in the address of a routine's page, once that is there. */
export async function savedId(page: Page): Promise<string> {
  await page.waitForURL(/\/routines\/rtn_[^/?]+/);
  const [, id = ""] = /\/routines\/(rtn_[^/?]+)/.exec(page.url()) ?? [];
  assert.notEqual(id, "");
  return id;
}
