/** Watches: what of a connector's is looked at again and again, and what has been seen of it. */
import { z } from "zod";
import { atMost } from "./characters.ts";
import { connectorNameSchema } from "./connector.ts";
import { nullable } from "./schema.ts";
import { boundedDuration, timestampSchema } from "./time.ts";

const ARGUMENTS_LENGTH = 16_384;
const path = z.string().min(1).check(atMost(200));

/** Of a connector's tool that the instance itself calls. */
export const toolNameSchema = z.string().min(1).check(atMost(200));
export const toolArgumentsSchema = z
  .record(z.string(), z.any())
  .refine((given) => JSON.stringify(given).length <= ARGUMENTS_LENGTH, "must be at most 16 KiB of JSON")
  .meta({ description: "Of the tool." });

/** What a `watch` trigger is written with. */
export const watchFields = {
  connector: connectorNameSchema.meta({ description: "One of the routine's `connectors`." }),
  tool: toolNameSchema.optional().meta({ description: "The tool that is called, as its server has it." }),
  resource: z.string().min(1).max(2_000).optional().meta({ description: "The resource that is read, by its URI." }),
  arguments: toolArgumentsSchema.optional(),
  every: boundedDuration("1m", "24h").default("5m"),
  items: path.optional().meta({
    description:
      "A dotted path to the list in the answer. Without it, an answer that is a list is looked at item by item, any other as one item.",
  }),
  key: path.optional().meta({
    description:
      "A dotted path, in an item, to what it is known by. Without it `id`; an item that has none is known by its content.",
  }),
};

/** @returns faults of what a person has written, by key. */
export function watchFaults({
  tool,
  resource,
  arguments: given,
}: {
  tool?: unknown;
  resource?: unknown;
  arguments?: unknown;
}) {
  const faults: { path: string[]; message: string }[] = [];
  if ((tool === undefined) === (resource === undefined)) {
    faults.push({ path: [], message: "must have exactly one of tool and resource" });
  }
  if (given !== undefined && tool === undefined) faults.push({ path: ["arguments"], message: "goes with tool" });
  return faults;
}

/** What a routine's watch is shown with. */
export const watchStateSchema = z
  .object({
    looked_at: nullable(timestampSchema).meta({ description: "When it was last seen what there is; null for never." }),
    next_look_at: nullable(timestampSchema).meta({ description: "Null while the routine is paused." }),
    items: z.int().min(0).meta({ description: "How many items are known, also such as are not there any more." }),
    failures: z.int().min(0).meta({ description: "How many looks in a row have failed." }),
    fault: nullable(z.string()).meta({
      description: "Why the last look has failed, for people; null when it has not.",
    }),
  })
  .meta({ id: "WatchState" });
export type WatchState = z.infer<typeof watchStateSchema>;

/** How an item differs from what is known. */
export const watchChanges = ["new", "changed", "same"] as const;
export type WatchChange = (typeof watchChanges)[number];

/** How many items a preview shows. */
export const PREVIEWED_ITEMS = 50;

/** What a watch sees now, and what it would make of it. */
export const watchPreviewSchema = z
  .object({
    fault: nullable(z.string()).meta({ description: "Why nothing could be seen, for people." }),
    has_baseline: z.boolean().meta({ description: "Whether it has looked before: the first look wakes nothing." }),
    count: z.int().min(0).meta({ description: "How many items there are." }),
    would_wake: z.int().min(0).meta({ description: "For how many of them an occurrence would be made now." }),
    items: z
      .array(
        z.object({
          key: z.string().meta({ description: "What the item is known by, cut to 200 characters." }),
          change: z.enum(watchChanges),
          item: z.string().meta({ description: "Its JSON, cut to 2,000 characters." }),
        }),
      )
      .meta({ description: `Those that would wake first; ${PREVIEWED_ITEMS} at most.` }),
  })
  .meta({ id: "WatchPreview" });
export type WatchPreview = z.infer<typeof watchPreviewSchema>;

/** An item as it was seen. `key` and `hash` are what is compared and kept. */
export interface SeenItem {
  /** At most 200 characters. */
  key: string;
  /** What it is known by, for people. */
  label: string;
  /** SHA-256 of its content, in hex. */
  hash: string;
  /** Its JSON. */
  text: string;
}
