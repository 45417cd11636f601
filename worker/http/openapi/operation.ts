/** Pure: an endpoint's declaration as an OpenAPI operation. */
import { z } from "zod";
import type { Permission } from "#rules/permissions.ts";
import type { EndpointSpec } from "../endpoint-spec.ts";
import { exampleOf } from "./examples/example-of.ts";
import { refusalResponses } from "./refusals.ts";

type Spec = EndpointSpec<z.ZodObject, z.ZodObject, z.ZodType>;

/** An owner shows the owner's token, or the cookie of a browser that is signed in. */
function securityOf(needs: Spec["needs"]): Record<string, string[]>[] {
  if (isPermission(needs)) return [{ owner_token: [] }, { web_session: [] }];
  return needs === "routine_token" ? [{ routine_token: [] }] : [];
}

function isPermission(needs: Spec["needs"]): needs is Permission {
  return needs !== "nothing" && needs !== "routine_token";
}

/** @throws TypeError on a body or answer schema without an id: each is a named component. */
export function operation(spec: Spec) {
  return {
    method: spec.method,
    path: spec.path,
    operationId: spec.id,
    tags: [spec.tag],
    summary: spec.summary,
    ...(spec.description === undefined ? {} : { description: spec.description }),
    security: securityOf(spec.needs),
    ...(isPermission(spec.needs) ? { "x-permission": spec.needs } : {}),
    parameters: [
      ...parameters("path", spec.params),
      ...parameters("query", spec.query),
      ...(spec.headers ?? []).map(({ name, description }) => ({
        name,
        in: "header" as const,
        required: false,
        description,
        schema: { type: "string" as const },
      })),
    ],
    ...(spec.body === undefined
      ? {}
      : {
          requestBody: {
            required: !spec.body.optional,
            content: { "application/json": jsonOf(spec.body.schema) },
          },
        }),
    responses: {
      [spec.answer.status]: answer(spec),
      ...refusalResponses(spec),
    },
  };
}

function answer(spec: Spec) {
  if (spec.answer.status === 204) return { description: "Done; no body." };
  if ("files" in spec.answer) {
    const { files: types, example } = spec.answer;
    const media = {
      schema: { type: "string" as const, format: "binary" },
      ...(example === undefined ? {} : { example }),
    };
    const files = types.map((type) => [type, media]);
    return { description: "The file.", content: Object.fromEntries(files) };
  }
  const others = (spec.alsoAnswers ?? []).map((type) => [type, { schema: { type: "string" as const } }]);
  return {
    description: spec.answer.status === 201 ? "Created." : "Done.",
    content: {
      "application/json": jsonOf(spec.answer.schema),
      ...Object.fromEntries(others),
    },
  };
}

/** @throws TypeError on a schema without an id. */
export function jsonOf(schema: z.ZodType) {
  const example = exampleOf(schema);
  return { schema: componentRef(schema), ...(example === undefined ? {} : { example }) };
}

function parameters(place: "path" | "query", schema: z.ZodObject | undefined) {
  if (schema === undefined) return [];
  return Object.entries(schema.shape).map(([name, field]) => {
    const id = idOf(field);
    return {
      name,
      in: place,
      required: place === "path",
      ...(isList(field) ? { style: "form" as const, explode: false } : {}),
      schema: id === undefined ? plainSchema(field) : ref(id),
    };
  });
}

/** Several values are written with commas between. */
function isList(field: z.core.$ZodType): boolean {
  return "type" in plainSchema(field) && Reflect.get(plainSchema(field), "type") === "array";
}

/** Schemas with an id in it become references to the components; zod would write them into `$defs` beside it. */
function plainSchema(field: z.core.$ZodType): object {
  const { $schema: _dialect, $defs: _components, ...schema } = z.toJSONSchema(field, { io: "input" });
  return JSON.parse(JSON.stringify(schema).replaceAll('"#/$defs/', '"#/components/schemas/'));
}

/** The reference to a schema's component. @throws TypeError on a schema without an id. */
export function componentRef(schema: z.ZodType) {
  const id = idOf(schema);
  if (id === undefined) throw new TypeError("a schema of the API has no id");
  return ref(id);
}

function idOf(schema: z.core.$ZodType): string | undefined {
  return z.globalRegistry.get(schema)?.id;
}

function ref(id: string) {
  return { $ref: `#/components/schemas/${id}` };
}
