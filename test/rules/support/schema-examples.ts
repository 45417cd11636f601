/** Examples of what a JSON schema lets through: the least, the most, and something between by chance. */
import type { Json, JsonObject } from "#protocol/schema.ts";
import { isObject } from "#worker/inbound/sources/payload.ts";
import type { Chance } from "./random.ts";

export interface Example {
  /** Optional properties: none, all, or some; branches of a choice: the first, the last, or some. */
  extent: "least" | "most" | "some";
  chance: Chance;
}

const MAX_DEPTH = 14;
const COMMIT_KEYS = /(?:^|_)(?:sha|oid|commit_id)$|^(?:before|after)$/;
const TEXTS = [
  "text",
  "",
  "main",
  "two\nlines\r\n",
  "refs/heads/feature/x",
  "\uD800",
  "🙂".repeat(40),
  "__proto__",
  "x".repeat(3_000),
] as const;

/** @param root the document that `$ref`s lead into. */
export function exampleOf(root: Json, schema: Json, example: Example, key = "", depth = 0): Json {
  const whole = merged(root, schema, example);
  if (whole["const"] !== undefined) return whole["const"];
  const options = whole["enum"];
  if (Array.isArray(options)) return chosen(options, example);
  const type = chosen(typesOf(whole), example);
  if (type === "null") return null;
  if (type === "boolean") return example.extent === "some" ? example.chance.below(2) === 1 : example.extent === "most";
  if (type === "integer" || type === "number") return numberOf(example);
  if (type === "string") return textOf(whole, key, example);
  if (type === "array") return arrayOf(root, whole, example, key, depth);
  return objectOf(root, whole, example, depth);
}

/** A schema with what it refers to, all that it consists of, and one branch of each choice. */
function merged(root: Json, schema: Json, example: Example): JsonObject {
  if (!isObject(schema)) return {};
  const { $ref, allOf, anyOf, oneOf, ...own } = schema;
  const choices = [anyOf, oneOf].flatMap((branches) =>
    Array.isArray(branches) && branches.length > 0 ? [chosen(branches, example)] : [],
  );
  const parts = [
    ...(typeof $ref === "string" ? [found(root, $ref)] : []),
    ...(Array.isArray(allOf) ? allOf : []),
    ...choices,
  ];
  return parts.map((part) => merged(root, part, example)).reduce(both, own);
}

function both(one: JsonObject, other: JsonObject): JsonObject {
  const properties = { ...object(one["properties"]) };
  for (const [name, schema] of Object.entries(object(other["properties"]))) {
    const before = properties[name];
    properties[name] = before === undefined ? schema : { allOf: [before, schema] };
  }
  const required = [...list(one["required"]), ...list(other["required"])];
  const rest = { ...one, ...other };
  return Object.keys(properties).length > 0 ? { ...rest, properties, required } : { ...rest, required };
}

function found(root: Json, ref: string): Json {
  const keys = ref.replace(/^#\//, "").split("/");
  return keys.reduce<Json>((value, key) => object(value)[key.replaceAll("~1", "/")] ?? null, root);
}

/** `null` counts last, so that the least example has it where it may. */
function typesOf(schema: JsonObject): Json[] {
  const type = schema["type"];
  if (Array.isArray(type)) return ["null", ...type.filter((one) => one !== "null")].filter((one) => type.includes(one));
  if (typeof type === "string") return [type];
  return [schema["properties"] !== undefined || list(schema["required"]).length > 0 ? "object" : "string"];
}

function objectOf(root: Json, schema: JsonObject, example: Example, depth: number): JsonObject {
  const required = list(schema["required"]);
  const result: JsonObject = {};
  for (const [name, property] of Object.entries(object(schema["properties"]))) {
    const isWanted = required.includes(name) || (depth < MAX_DEPTH && isAdded(example));
    if (isWanted) result[name] = exampleOf(root, property, example, name, depth + 1);
  }
  const others = schema["additionalProperties"];
  if (isObject(others) && isAdded(example)) result["another"] = exampleOf(root, others, example, "another", depth + 1);
  return result;
}

function arrayOf(root: Json, schema: JsonObject, example: Example, key: string, depth: number): Json[] {
  const least = typeof schema["minItems"] === "number" ? schema["minItems"] : 0;
  const wanted = { least, most: Math.max(least, 2), some: least + example.chance.below(3) }[example.extent];
  const length = depth < MAX_DEPTH ? wanted : least;
  return Array.from({ length }, () => exampleOf(root, schema["items"] ?? {}, example, key, depth + 1));
}

function numberOf({ extent, chance }: Example): number {
  if (extent === "least") return 1;
  return extent === "most" ? 2_147_483_647 : chance.pick([0, 1, 7, -1, 0.5, Number.MAX_SAFE_INTEGER + 2]);
}

function textOf(schema: JsonObject, key: string, { extent, chance }: Example): string {
  if (schema["format"] === "date-time") return "2026-01-02T03:04:05Z";
  if (schema["format"] === "uri") return "https://example.com/a";
  if (COMMIT_KEYS.test(key)) return "a".repeat(39) + (extent === "some" ? chance.pick(["b", "", "0", "G"]) : "b");
  return extent === "some" ? chance.pick(TEXTS) : "text";
}

function isAdded({ extent, chance }: Example): boolean {
  return extent === "most" || (extent === "some" && chance.below(2) === 1);
}

function chosen(options: readonly Json[], { extent, chance }: Example): Json {
  const place = { least: 0, most: options.length - 1, some: chance.below(options.length) }[extent];
  return options[place] ?? null;
}

function object(value: Json | undefined): JsonObject {
  return isObject(value) ? value : {};
}

function list(value: Json | undefined): Json[] {
  return Array.isArray(value) ? value : [];
}
