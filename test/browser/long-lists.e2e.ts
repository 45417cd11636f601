/** Lists of 10,000 rows: they scroll as a bare virtual list does. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Page } from "playwright-core";
import { z } from "zod";
import { ask, createRoutine, gatedBed, runNow, sendEvent, untilEnded } from "./support/bed.ts";
import { assertScrollsAsBare } from "./support/scrolling.ts";
import { visit } from "./support/visitor.ts";

const ROWS = 10_000;
const rowSchema = z.looseObject({ id: z.string() });
const listSchema = z.looseObject({ data: z.array(rowSchema) });

/** Has the page's list be this long: real rows of the instance, each many times under an id of its own. */
async function lengthen(page: Page, address: RegExp, rows: readonly z.infer<typeof rowSchema>[]): Promise<void> {
  assert.ok(rows.length > 0);
  const data = Array.from({ length: ROWS }, (_, index) => {
    const row = rows[index % rows.length];
    return { ...row, id: `${row?.id.slice(0, -5)}${String(index).padStart(5, "0")}` };
  });
  await page.route(address, (route) => route.fulfill({ json: { data, next_cursor: null } }));
}

test(`${ROWS} runs, and as many deliveries`, async (t) => {
  const bed = await gatedBed();
  const conversation = bed.model.lead();
  const routine = await createRoutine(bed, { prompt: conversation.task });
  conversation.finish("Done.");
  await untilEnded(bed, (await runNow(bed, routine.id)).run_id);
  await sendEvent(bed, { name: "nothing.waits.for.this", payload: { of: "long lists" } });
  for (const name of ["runs", "deliveries"]) {
    const { data: rows } = await ask(bed, { method: "GET", path: `/api/v1/${name}?limit=20`, answer: listSchema });
    await visit(t, bed, {}, async ({ page, context }) => {
      await lengthen(page, new RegExp(`/api/v1/${name}\\?`), rows);
      const openedAt = Date.now();
      await page.goto(`/${name}`);
      await page.getByRole("list", { name }).getByRole("listitem").first().waitFor();
      t.diagnostic(`open: ${Date.now() - openedAt} ms`);
      await assertScrollsAsBare(t, context, { page, name, rows: ROWS });
    });
  }
});
