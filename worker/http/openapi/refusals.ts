/** Pure: for what an endpoint refuses a request, by its declaration, as the OpenAPI document tells it: by status, with the codes. */
import type { z } from "zod";
import { API_ERRORS } from "#protocol/api-errors.ts";
import { ERROR_STATUS } from "#protocol/error-types.ts";
import type { ApiErrorCode } from "#protocol/errors.ts";
import type { EndpointSpec } from "../endpoint-spec.ts";

type Spec = EndpointSpec<z.ZodObject, z.ZodObject, z.ZodType>;

/** Whatever is asked: an instance that is not set up, or a part of it that fails or has too much to do. */
const ALWAYS: readonly ApiErrorCode[] = [
  "internal_error",
  "misconfigured",
  "not_ready",
  "overloaded",
  "unavailable",
  "no_answer",
  "storage_not_migrated",
];

/** In the order of the table of errors. */
export function refusalsOf(spec: Spec): ApiErrorCode[] {
  const codes = new Set<ApiErrorCode>([...ofCaller(spec), ...ofRequest(spec), ...(spec.refuses ?? []), ...ALWAYS]);
  return (Object.keys(API_ERRORS) as ApiErrorCode[]).filter((code) => codes.has(code));
}

function ofCaller({ needs, method }: Spec): ApiErrorCode[] {
  if (needs === "nothing") return [];
  if (needs === "routine_token") return ["routine_token_invalid"];
  return method === "get" ? ["authentication_required"] : ["authentication_required", "origin_refused"];
}

function ofRequest({ params, query, body, headers }: Spec): ApiErrorCode[] {
  return [
    ...(params === undefined ? [] : (["not_found"] as const)),
    ...(query === undefined && headers === undefined ? [] : (["invalid_request"] as const)),
    ...(query !== undefined && "cursor" in query.shape ? (["invalid_cursor"] as const) : []),
    ...(body === undefined
      ? []
      : (["invalid_json", "invalid_request", "body_too_large", "content_type_refused"] as const)),
  ];
}

/** The answers to what is refused, by status; `default` is for what a later version refuses. */
export function refusalResponses(spec: Spec) {
  const byStatus = Map.groupBy(refusalsOf(spec), (code) => ERROR_STATUS[API_ERRORS[code].type]);
  const responses = [...byStatus].map(([status, codes]) => [String(status), errorResponse(codes)] as const);
  return { ...Object.fromEntries(responses), default: { description: "Another error.", content: errorContent() } };
}

function errorResponse(codes: ApiErrorCode[]) {
  const told = codes.map((code) => `\`${code}\`: ${API_ERRORS[code].message}`);
  return { description: told.join("\n"), "x-error-codes": codes, content: errorContent() };
}

function errorContent() {
  return { "application/json": { schema: { $ref: "#/components/schemas/Error" } } };
}
