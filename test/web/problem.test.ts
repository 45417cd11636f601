/** What went wrong with a call, as it is shown. */
import { expect, it } from "vitest";
import { errorAnswer } from "#protocol/errors.ts";
import { asProblem, isPassing, refused, unreachable, unreadable } from "#web/src/problem.ts";

it("a refusal is told with its hint, its code and each fault", () => {
  const { status, body } = errorAnswer(
    { code: "invalid_request", issues: [{ field: "name", message: "must not be empty" }] },
    "req_1",
  );
  expect(refused(status, body)).toMatchObject({
    status: 400,
    type: "invalid_request_error",
    message: "The request does not fit the schema. name: must not be empty",
    hint: "See details.issues for each field and its remedy; GET /openapi.json has the schemas.",
    code: "invalid_request",
  });
});

it.each([
  ["no connection", unreachable(), true],
  ["an overloaded instance", refused(503, errorAnswer({ code: "index_behind" }, "req_1").body), true],
  ["a refusal", refused(404, errorAnswer({ code: "not_found" }, "req_1").body), false],
  ["a foreign answer", unreadable(502), false],
  ["a fault of the page", new TypeError("x is undefined"), false],
])("trying again helps with %s: %s", (_case, error, helps) => {
  expect(isPassing(error)).toBe(helps);
});

it("a fault of the page shows nothing of its inside", () => {
  expect(asProblem(new TypeError("x is undefined")).message).toBe("Something in this page went wrong.");
});
