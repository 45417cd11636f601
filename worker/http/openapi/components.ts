/**
 * The schemas of the OpenAPI document. One schema has two forms where it has defaults: senders may leave out what an answer
 * always has. A component that is both sent and answered, and differs, is there twice: `Repository` as answers have it, and
 * `RepositoryInput` as senders write it.
 */
import { z } from "zod";
import type { ApiDocument } from "./api-document.ts";

type Schemas = Record<string, object>;
type Paths = NonNullable<ApiDocument["paths"]>;

const PREFIX = "#/components/schemas/";

/** @returns every schema that the paths lead to, and the paths with references to the form that is meant. */
export function withComponents(paths: Paths): { paths: Paths; schemas: Schemas } {
  const written = schemasAs("input");
  const answered = schemasAs("output");
  const sent = reachable(parts(paths, isSent), written);
  const told = reachable(
    parts(paths, (key) => !isSent(key)),
    answered,
  );
  const twice = new Set([...sent].filter((id) => told.has(id) && differs(id, written, answered)));
  const toInput = (value: object) => renamed(value, (id) => (twice.has(id) ? `${id}Input` : id));
  const schemas: Schemas = {};
  for (const id of told) schemas[id] = answered[id] ?? {};
  for (const id of sent) {
    if (twice.has(id)) schemas[`${id}Input`] = toInput(written[id] ?? {});
    else if (!told.has(id)) schemas[id] = toInput(written[id] ?? {});
  }
  return { paths: mapParts(paths, toInput), schemas: Object.fromEntries(Object.entries(schemas).sort(byName)) };
}

/** What callers send is described under these keys of an operation; the rest is what they are told. */
function isSent(key: string): boolean {
  return key === "requestBody" || key === "parameters" || key === "x-viewer-messages";
}

/** Recursive and nullable references come out right, since zod itself writes them. */
function schemasAs(io: "input" | "output"): Schemas {
  const { schemas } = z.toJSONSchema(z.globalRegistry, {
    io,
    uri: (id) => `${PREFIX}${id}`,
    override: ({ jsonSchema }) => {
      // An answer may have more than this version knows: a client that refuses it would break with the next one.
      if (io === "output" && jsonSchema.additionalProperties === false) delete jsonSchema.additionalProperties;
    },
  });
  return Object.fromEntries(
    Object.entries(schemas).map(([id, { $schema: _dialect, $id: _id, ...schema }]) => [id, schema]),
  );
}

function parts(paths: Paths, isPart: (key: string) => boolean): object[] {
  return Object.values(paths).flatMap((item) =>
    Object.values(item).flatMap((operation) =>
      Object.entries(operation as object).flatMap(([key, part]) => (isPart(key) ? [part as object] : [])),
    ),
  );
}

function mapParts(paths: Paths, change: (part: object) => object): Paths {
  const ofOperation = (operation: object) =>
    Object.fromEntries(Object.entries(operation).map(([key, part]) => [key, isSent(key) ? change(part) : part]));
  const ofItem = (item: object) =>
    Object.fromEntries(Object.entries(item).map(([method, operation]) => [method, ofOperation(operation)]));
  return Object.fromEntries(Object.entries(paths).map(([path, item]) => [path, ofItem(item)]));
}

function reachable(from: object[], schemas: Schemas): Set<string> {
  const found = new Set<string>();
  const waiting = from.flatMap(referencesIn);
  for (let id = waiting.pop(); id !== undefined; id = waiting.pop()) {
    if (found.has(id)) continue;
    found.add(id);
    waiting.push(...referencesIn(schemas[id] ?? {}));
  }
  return found;
}

/** Also where only something that it refers to differs. */
function differs(id: string, written: Schemas, answered: Schemas): boolean {
  return [...reachable([written[id] ?? {}], written), id].some(
    (one) => JSON.stringify(written[one]) !== JSON.stringify(answered[one]),
  );
}

function referencesIn(value: object): string[] {
  return [...JSON.stringify(value).matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g)].map(([, id = ""]) => id);
}

function renamed(value: object, nameOf: (id: string) => string): object {
  return JSON.parse(
    JSON.stringify(value).replaceAll(
      /"\$ref":"#\/components\/schemas\/([^"]+)"/g,
      (_, id: string) => `"$ref":"${PREFIX}${nameOf(id)}"`,
    ),
  );
}

function byName([one]: [string, object], [other]: [string, object]): number {
  return one < other ? -1 : 1;
}
