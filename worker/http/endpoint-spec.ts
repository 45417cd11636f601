/** How an endpoint of the API is declared: its checks and its place in the OpenAPI document both come from this. */
import type { z } from "zod";
import type { ApiErrorCode, Refusal } from "#protocol/errors.ts";
import type { Permission } from "#rules/permissions.ts";

export type Fields = z.ZodObject;

export interface EndpointSpec<Params extends Fields, Query extends Fields, Body extends z.ZodType> {
  method: "get" | "post" | "put" | "patch" | "delete";
  /** As OpenAPI writes it: `/api/v1/routines/{id}`. */
  path: string;
  tag:
    | "Fire"
    | "Routines"
    | "Runs"
    | "Sessions"
    | "Webhooks"
    | "Pools"
    | "Environments"
    | "Connectors"
    | "Secrets"
    | "Notifications"
    | "Budgets"
    | "Sign-in"
    | "Instance";
  /** `operationId`: what generated clients call it. A verb, and what it is done to: `listRuns`. */
  id: string;
  summary: string;
  description?: string;
  /** A permission, which owners have; or the routine's token, which the handler passes on; or nothing. */
  needs: Permission | "routine_token" | "nothing";
  /** Beside what follows from the rest of this: who may call, the path, the query and the body. */
  refuses?: readonly ApiErrorCode[];
  params?: Params;
  query?: Query;
  /** A body that may be left out counts as `{}`. */
  body?: {
    schema: Body;
    optional: boolean;
    precheck?: (body: unknown) => Refusal | null;
    /** Someone else's JSON under this key keeps the digits of its numbers, for `JSON.stringify` alone. */
    kept?: "payload";
  };
  headers?: { name: string; description: string }[];
  answer:
    | { status: 200 | 201; schema: z.ZodType }
    | { status: 204 }
    /** The handler answers with a file of one of these media types; of a text it can have an example. */
    | { status: 200; files: readonly string[]; example?: string };
  /** Other media types that the same path can answer with. */
  alsoAnswers?: string[];
}
