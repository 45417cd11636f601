/** A routine's watches: what one would see now, and beginning anew. */
import { z } from "zod";
import { look } from "#instance/connectors/look.ts";
import { type Result, refuse, success } from "#protocol/errors.ts";
import { routineIdSchema, triggerIdSchema } from "#protocol/ids.ts";
import {
  PREVIEWED_ITEMS,
  type SeenItem,
  type WatchChange,
  type WatchPreview,
  watchPreviewSchema,
} from "#protocol/watch.ts";
import { beginningOf } from "#protocol/well-formed.ts";
import { endpoint } from "../http/endpoint.ts";
import type { App, HttpContext } from "../http/http-env.ts";
import { withExample } from "../http/openapi/examples/example.ts";

const one = {
  tag: "Routines",
  needs: "routines:write",
  method: "post",
  params: z.object({ id: routineIdSchema, trigger_id: triggerIdSchema }),
} as const;
const ITEM_LENGTH = 2_000;

const previewAnswer = withExample(watchPreviewSchema, {
  fault: null,
  has_baseline: true,
  count: 2,
  would_wake: 1,
  items: [
    { key: "ENG-12", change: "new", item: '{"id": "ENG-12", "title": "Crash at start"}' },
    { key: "ENG-11", change: "same", item: '{"id": "ENG-11", "title": "Typo"}' },
  ],
});

export function mountWatches(app: App): void {
  endpoint(
    app,
    {
      ...one,
      path: "/api/v1/routines/{id}/triggers/{trigger_id}/preview",
      id: "previewWatch",
      summary: "Tell what a watch would see now, and what it would make of it, without taking it in",
      description: "Calls the tool, or reads the resource, once. Answers within 20 seconds, whatever the server does.",
      answer: { status: 200, schema: previewAnswer },
    },
    async ({ c, params }) => preview(c, params.id, params.trigger_id),
  );
  endpoint(
    app,
    {
      ...one,
      path: "/api/v1/routines/{id}/triggers/{trigger_id}/reset",
      id: "resetWatch",
      summary: "Have a watch forget what it has seen",
      description:
        "Its next look, which is made at once while the routine is active, is a baseline, and wakes nothing.",
      answer: { status: 204 },
    },
    async ({ c, params }) => c.var.deps.ownerOf(params.id).resetWatch(params.trigger_id),
  );
}

async function preview(c: HttpContext, routineId: string, triggerId: string): Promise<Result<WatchPreview>> {
  const { ownerOf, connectors, secretValues: secrets, loginAccess, outside } = c.var.deps;
  const owner = ownerOf(routineId);
  const routine = await owner.read();
  if (!routine.ok) return routine;
  const trigger = routine.value.triggers.find(({ id }) => id === triggerId);
  if (trigger?.type !== "watch") return refuse("not_found");
  const connector = await connectors.find(trigger.connector);
  const seen = await look({ secrets, loginAccess, outside, routineId }, connector, trigger);
  const items = seen.ok ? seen.items : [];
  const compared = await owner.compareWatch(
    triggerId,
    items.map(({ key, hash }) => ({ key, hash })),
  );
  if (!compared.ok) return compared;
  const { hasBaseline, changes } = compared.value;
  return success({
    fault: seen.ok ? null : seen.detail,
    has_baseline: hasBaseline,
    count: items.length,
    would_wake: hasBaseline ? changes.filter((change) => change !== "same").length : 0,
    items: shownItems(items, changes),
  });
}

function shownItems(items: readonly SeenItem[], changes: readonly WatchChange[]): WatchPreview["items"] {
  return items
    .map((item, place) => ({ item, change: changes[place] ?? "new" }))
    .toSorted((before, after) => Number(before.change === "same") - Number(after.change === "same"))
    .slice(0, PREVIEWED_ITEMS)
    .map(({ item: { key, text }, change }) => ({ key, change, item: beginningOf(text, ITEM_LENGTH) }));
}
