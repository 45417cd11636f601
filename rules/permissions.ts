/**
 * What an endpoint can need of whoever calls it. `write` is for all that changes or starts something; `read` is for what only shows.
 * There is one kind of people so far, owners, who have them all.
 */
export type Permission =
  | "routines:read"
  | "routines:write"
  | "runs:read"
  | "runs:write"
  | "pools:read"
  | "environments:read"
  | "environments:write"
  | "connectors:read"
  | "connectors:write"
  | "deliveries:read"
  | "deliveries:write"
  | "instance:admin";
