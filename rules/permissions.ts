/**
 * What an endpoint can need of whoever calls it. `write` is all that changes or starts something; `read` shows alone.
 * There is one kind of people so far, owners, who have them all.
 */
export type Permission =
  | "routines:read"
  | "routines:write"
  | "runs:read"
  | "runs:write"
  | "deliveries:read"
  | "deliveries:write"
  | "instance:admin";
