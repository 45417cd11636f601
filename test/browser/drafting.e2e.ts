/** A routine in one's own words: a sentence becomes a draft that asks back, is drafted again with the answer, and is saved. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { routineSchema } from "#protocol/routine.ts";
import { ask, demoBed, gatedBed } from "./support/bed.ts";
import { save, savedId } from "./support/editor.ts";
import { visit } from "./support/visitor.ts";

const QUESTION = "Which repository has the docs?";
const ADDRESS = "https://github.com/acme/docs";

function drafted(repositories: object[], questions: string[]) {
  const triggers = [{ type: "schedule", cron: "0 10 * * 1", timezone: "Europe/Paris" }];
  const draft = { name: "docs-drafted", prompt: "Compare the docs with what was merged.", repositories, triggers };
  return { toolCalls: [{ name: "draft_routine", input: { draft, questions } }] };
}

test("a sentence becomes a draft, its question is answered, and the draft is saved as a routine", async (t) => {
  const bed = await gatedBed();
  const words = bed.model.lead();
  const text = `Each Monday, look for docs that are behind. ${words.task}`;
  await visit(t, bed, {}, async ({ page }) => {
    await page.goto("/routines/new");
    await page.getByLabel("What should it do, and when?").fill(text);
    words.say(drafted([], [QUESTION]));
    await page.getByRole("button", { name: "Write a draft" }).click();
    const about = page.getByRole("group", { name: "About this draft" });
    await about.getByText(/has written this draft\. Cost: /).waitFor();
    await page.getByRole("heading", { level: 1, name: "docs-drafted" }).waitFor();
    assert.equal(await page.getByLabel("Address 1").count(), 0);

    await about.getByLabel(QUESTION).fill(ADDRESS);
    words.say(drafted([{ url: ADDRESS }], []));
    await about.getByRole("button", { name: "Draft again with these answers" }).click();
    await page.getByLabel("Address 1").waitFor();
    assert.equal(await page.getByLabel("Address 1").inputValue(), ADDRESS);
    assert.equal(await about.getByLabel(QUESTION).count(), 0);

    // Nobody has saved it yet, and it is not lost by a slip.
    await page.getByRole("link", { name: "Templates" }).click();
    await page.getByRole("button", { name: "Stay" }).click();
    await save(page);
    const id = await savedId(page);
    const saved = await ask(bed, { method: "GET", path: `/api/v1/routines/${id}`, answer: routineSchema });
    assert.deepEqual(
      [saved.name, saved.repositories.map(({ url }) => url), saved.triggers.map(({ type }) => type)],
      ["docs-drafted", [ADDRESS], ["schedule"]],
    );
  });
});

test("where no model key is set, no draft is offered", async (t) => {
  const bed = await demoBed();
  await visit(t, bed, {}, async ({ page }) => {
    await page.goto("/routines/new");
    await page.getByRole("link", { name: "Docs sync" }).waitFor();
    assert.equal(await page.getByRole("heading", { name: "In your own words" }).count(), 0);
    // The address of a draft that is gone begins anew.
    await page.goto("/routines/new?template=words");
    await page.getByRole("link", { name: "Docs sync" }).waitFor();
  });
});
