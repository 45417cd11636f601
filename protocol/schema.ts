/** Pieces of schema that the others share. */
import { z } from "zod";

/** A value or null. A union, because `.nullable()` on a named schema makes the named OpenAPI component nullable too. */
export function nullable<Schema extends z.ZodType>(schema: Schema) {
  return z.union([schema, z.null()]);
}

/** Texts or other values by names of people's own. The name `__proto__` is refused: an object drops what is set by it, without a word. */
export function named<Name extends z.core.$ZodRecordKey, Value extends z.ZodType>(name: Name, value: Value) {
  return z.preprocess(
    (given, { issues }) => {
      if (typeof given === "object" && given !== null && Object.hasOwn(given, "__proto__")) {
        const message = "must have another name: this one belongs to JavaScript";
        issues.push({ code: "custom", path: ["__proto__"], message, input: given, continue: true });
      }
      return given;
    },
    z.record(name, value),
  );
}

export type Json = string | number | boolean | null | JsonArray | JsonObject;
/** Interfaces, because the compiler resolves them lazily: as plain types they are too deep for typed RPC. */
export interface JsonArray extends Array<Json> {}
export interface JsonObject {
  [key: string]: Json;
}

/** Any JSON value. What it checks has come out of `JSON.parse`, so there is nothing left to check. */
export const jsonSchema: z.ZodType<Json> = z.any().meta({ id: "Json", description: "Any JSON value." });
