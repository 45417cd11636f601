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

function refusalsOf(spec: Spec): ApiErrorCode[] {
  return [...ofCaller(spec), ...ofRequest(spec), ...(spec.refuses ?? [])];
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
      : (["invalid_json", "invalid_request", "body_too_large", "body_too_slow", "content_type_refused"] as const)),
  ];
}

/** The answers to what an endpoint refuses. */
export function refusalResponses(spec: Spec) {
  return errorResponses(refusalsOf(spec));
}

/**
 * The answers to what is refused, by status and in the order of the table of errors; `default` is for what a later version
 * refuses. @param refused beside what any request can be refused for.
 */
export function errorResponses(refused: readonly ApiErrorCode[]) {
  const codes = new Set([...refused, ...ALWAYS]);
  const ordered = (Object.keys(API_ERRORS) as ApiErrorCode[]).filter((code) => codes.has(code));
  const byStatus = Map.groupBy(ordered, (code) => ERROR_STATUS[API_ERRORS[code].type]);
  const responses = [...byStatus].map(([status, told]) => [String(status), errorResponse(told)] as const);
  return { ...Object.fromEntries(responses), default: { description: "Another error.", content: errorContent() } };
}

function errorResponse(codes: ApiErrorCode[]) {
  const told = codes.map((code) => `\`${code}\`: ${API_ERRORS[code].message}`);
  return { description: told.join("\n"), "x-error-codes": codes, content: errorContent() };
}

function errorContent() {
  return { "application/json": { schema: { $ref: "#/components/schemas/Error" } } };
}
