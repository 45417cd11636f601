/** Filters of a trigger: conditions on what came, all of which must hold. */
import { z } from "zod";
import { atMost } from "./characters.ts";

export const filterOperators = [
  "equals",
  "contains",
  "starts_with",
  "is_one_of",
  "is_not_one_of",
  "matches_regex",
  "exists",
] as const;
export type FilterOperator = (typeof filterOperators)[number];

export const FILTER_LIMITS = { filters: 20, field: 200, value: 1_000, values: 100 } as const;

const scalarSchema = z.union([z.string().check(atMost(FILTER_LIMITS.value)), z.number(), z.boolean()]);
const fieldSchema = z
  .string()
  .min(1)
  .check(atMost(FILTER_LIMITS.field))
  .meta({ description: "A named field of the source, or a dotted path into the payload.", examples: ["base_branch"] });

/** One condition. On a list, it holds when it holds for an item; `is_not_one_of` when it holds for every item. */
export const filterSchema = z
  .discriminatedUnion("operator", [
    z.strictObject({
      field: fieldSchema,
      operator: z.enum(["equals", "contains", "starts_with"]),
      value: scalarSchema,
    }),
    z.strictObject({
      field: fieldSchema,
      operator: z.enum(["is_one_of", "is_not_one_of"]),
      value: z.array(scalarSchema).min(1).max(FILTER_LIMITS.values),
    }),
    z.strictObject({
      field: fieldSchema,
      operator: z.literal("matches_regex"),
      value: z
        .string()
        .check(atMost(FILTER_LIMITS.value))
        .meta({ description: "A regular expression in RE2's syntax, matched against the whole value." }),
    }),
    z.strictObject({ field: fieldSchema, operator: z.literal("exists"), value: z.boolean().default(true) }),
  ])
  .meta({ id: "Filter" });
export type Filter = z.infer<typeof filterSchema>;

export const filtersSchema = z.array(filterSchema).max(FILTER_LIMITS.filters);

/** How one filter judged an event. */
export const filterCheckSchema = z
  .object({
    field: z.string(),
    operator: z.enum(filterOperators),
    matched: z.boolean(),
    why: z.string().meta({ description: 'For people, for instance: base_branch is "dev", not "main".' }),
  })
  .meta({ id: "FilterCheck" });
export type FilterCheck = z.infer<typeof filterCheckSchema>;
