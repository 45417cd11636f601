/** Routines with very long prompts: every list can be read to its end, page by page, newest first. */
import { expect, it, vi } from "vitest";
import { buildRoutine, call, fired } from "#test/support/api.ts";

const PROMPT = "x".repeat(199_000);

interface Page {
  data: { id?: string; revision?: number }[];
  next_cursor: string | null;
}

async function readAll(path: string): Promise<{ pages: number; items: Page["data"] }> {
  const items: Page["data"] = [];
  let pages = 0;
  for (let cursor: string | null = ""; cursor !== null; pages += 1) {
    const answer: { status: number; body: Page } = await call(
      "GET",
      `${path}limit=200${cursor && `&cursor=${cursor}`}`,
    );
    expect(answer.status).toBe(200);
    items.push(...answer.body.data);
    cursor = answer.body.next_cursor;
  }
  return { pages, items };
}

it("ends a page where it has grown too long to cross", async () => {
  const routine = await buildRoutine({ prompt: PROMPT, max_concurrent: 1 });
  const runs: string[] = [];
  for (let count = 0; count < 45; count += 1) {
    runs.unshift((await fired(routine)).run_id);
    await call("PATCH", `/api/v1/routines/${routine.id}`, { tags: { count: String(count) } });
  }
  await vi.waitUntil(
    async () => (await call<Page>("GET", `/api/v1/runs?routine=${routine.id}&limit=1`)).body.data[0]?.id === runs[0],
    15_000,
  );
  for (const path of [`/api/v1/routines/${routine.id}/runs?`, `/api/v1/runs?routine=${routine.id}&`]) {
    const { pages, items } = await readAll(path);
    expect(items.map(({ id }) => id)).toEqual(runs);
    // Without the prompts they are short.
    expect(pages).toBe(1);
  }
  const { pages, items } = await readAll(`/api/v1/routines/${routine.id}/revisions?`);
  expect(items.map(({ revision }) => revision)).toEqual(Array.from({ length: 46 }, (_, index) => 46 - index));
  expect(pages).toBe(3);
  expect((await call("DELETE", `/api/v1/routines/${routine.id}`)).status).toBe(204);
});
