/** Examples of what operations are sent and answer, each typed by its schema; a test parses each by the same. */
import type { z } from "zod";

/** One schema's example, as JSON has it. */
export type Example = readonly [schema: z.ZodType, value: unknown];

export function example<Schema extends z.ZodType>(schema: Schema, value: z.input<Schema>): Example {
  return [schema, value];
}

const beside = new Map<z.core.$ZodType, unknown>();

/** For a schema that one route has to itself. @returns the schema. */
export function withExample<Schema extends z.ZodType>(schema: Schema, value: z.input<Schema>): Schema {
  beside.set(schema, value);
  return schema;
}

export function examplesBeside(): ReadonlyMap<z.core.$ZodType, unknown> {
  return beside;
}
