/** What each operation of the API needs, as its document tells. */
import { expect, it } from "vitest";
import { call } from "#test/support/api.ts";

interface Operation {
  security: object[];
  "x-permission"?: string;
}

/** What needs no permission. */
const OPEN = ["GET /healthz", "GET /readyz", "POST /api/v1/sign-in", "POST /api/v1/sign-out"];
/** Only for whoever may write: one shows secrets, the other whatever people have said and what runs have done, all at once. */
const FOR_WRITERS = [
  "GET /api/v1/routines/{id}/triggers/{trigger_id}/secret/handed-over",
  "GET /api/v1/routines/{id}/export",
];
/** Change nothing that lasts. */
const READS_BY_POST = [
  "POST /api/v1/routines/{id}/triggers/test",
  "POST /api/v1/sessions/{id}/ticket",
  "POST /api/v1/triggers/schedule-times",
];

it("needs a permission to write for what changes something, and one to read for the rest", async () => {
  const { body } = await call<{ paths: Record<string, Record<string, Operation>> }>("GET", "/openapi.json");
  const operations = Object.entries(body.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ name: `${method.toUpperCase()} ${path}`, operation })),
  );
  const wrong = operations.filter(({ name, operation }) => {
    const permission = operation["x-permission"];
    if (permission === undefined) return !OPEN.includes(name) && operation.security.some((one) => "owner_token" in one);
    if (permission === "instance:admin") return false;
    const isRead = (name.startsWith("GET ") && !FOR_WRITERS.includes(name)) || READS_BY_POST.includes(name);
    return permission.endsWith(":read") !== isRead;
  });
  expect(wrong.map(({ name }) => name)).toEqual([]);
  expect(operations.length).toBeGreaterThan(30);
});
