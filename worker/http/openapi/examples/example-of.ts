/** Which example a schema of the API has. */
import { z } from "zod";
import { examplesBeside } from "./example.ts";
import { INSTANCE_EXAMPLES } from "./instance.ts";
import { ROUTINE_EXAMPLES } from "./routines.ts";
import { RUN_EXAMPLES } from "./runs.ts";

/** Beside those of single routes. */
export const EXAMPLES = new Map<z.core.$ZodType, unknown>([...ROUTINE_EXAMPLES, ...RUN_EXAMPLES, ...INSTANCE_EXAMPLES]);

/** @returns undefined where the schema has none. A page's is made of that of what it lists. */
export function exampleOf(schema: z.core.$ZodType): unknown {
  const own = examplesBeside().get(schema) ?? EXAMPLES.get(schema);
  if (own !== undefined) return own;
  if (!(schema instanceof z.ZodObject) || !(schema.shape["data"] instanceof z.ZodArray)) return undefined;
  const listed = exampleOf(schema.shape["data"].element);
  return listed === undefined ? undefined : { data: [listed], next_cursor: null };
}
