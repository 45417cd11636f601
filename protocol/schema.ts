/** Two pieces of schema that the others share. */
import { z } from "zod";

/** A value or null. A union, because `.nullable()` on a named schema makes the named OpenAPI component nullable too. */
export function nullable<Schema extends z.ZodType>(schema: Schema) {
  return z.union([schema, z.null()]);
}

export type Json = string | number | boolean | null | JsonArray | JsonObject;
/** Interfaces, because the compiler resolves them lazily: as plain types they are too deep for typed RPC. */
export interface JsonArray extends Array<Json> {}
export interface JsonObject {
  [key: string]: Json;
}

/** Any JSON value. What it checks has come out of `JSON.parse`, so there is nothing left to check. */
export const jsonSchema: z.ZodType<Json> = z.any().meta({ id: "Json", description: "Any JSON value." });
