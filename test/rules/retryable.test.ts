/** Which failures of a call are repeated: those that the platform calls passing, and no others. */
import { describe, expect, it } from "vitest";
import { d1Failure, objectFailure, r2Failure, TRIES_AT_MOST, waitBeforeNext } from "#rules/calls/retryable.ts";

const marked = (marks: object, message = "gone") => Object.assign(new Error(message), marks);

describe("a call to an object", () => {
  it.each([
    ["a disconnect", marked({ retryable: true }), "repeat"],
    ["a reset, as the platform marks it", marked({ durableObjectReset: true }), "repeat"],
    [
      "a reset at a deploy",
      marked({ durableObjectReset: true }, "Durable Object reset because its code was updated."),
      "repeat",
    ],
    ["too much to do", marked({ overloaded: true }), "overloaded"],
    ["too much to do, marked as passing too", marked({ overloaded: true, retryable: true }), "overloaded"],
    [
      "too much memory",
      marked({ durableObjectReset: true }, "Durable Object's isolate exceeded its memory limit and was reset."),
      "final",
    ],
    [
      "too slow a storage",
      marked(
        { durableObjectReset: true },
        "Durable Object storage operation exceeded timeout which caused object to be reset.",
      ),
      "final",
    ],
    ["an error of our own", marked({ remote: true }), "final"],
    ["a mark that is no mark", marked({ retryable: "true" }), "final"],
    ["no error at all", "Network connection lost.", "final"],
  ])("that fails by %s: %s %s", (_name, error, failure) => {
    expect(objectFailure(error)).toBe(failure);
  });
});

describe("a query of D1", () => {
  it.each([
    ["D1_ERROR: D1 DB reset because its code was updated.", "repeat"],
    ["D1_ERROR: Internal error while starting up D1 DB storage caused object to be reset.", "repeat"],
    ["D1_ERROR: Network connection lost.", "repeat"],
    ["D1_ERROR: Internal error in D1 DB storage caused object to be reset.", "repeat"],
    ["D1_ERROR: Cannot resolve D1 DB due to transient issue on remote node.", "repeat"],
    ["D1_ERROR: Can't read from request stream because client disconnected.", "repeat"],
    ["D1_ERROR: D1 DB is overloaded. Requests queued for too long.", "overloaded"],
    ["D1_ERROR: D1 DB is overloaded. Too many requests queued.", "overloaded"],
    ["D1_ERROR: D1 DB storage operation exceeded timeout which caused object to be reset.", "final"],
    ["D1_ERROR: D1 DB's isolate exceeded its memory limit and was reset.", "final"],
    ["D1_ERROR: D1 DB exceeded its CPU time limit and was reset.", "final"],
    ["D1_ERROR: no such table: deliveries: SQLITE_ERROR", "final"],
    ["D1_ERROR: UNIQUE constraint failed: deliveries.id: SQLITE_CONSTRAINT", "final"],
  ])("that fails with “%s”: %s", (text, failure) => {
    expect(d1Failure(new Error(text))).toBe(failure);
    expect(d1Failure(new Error("Failed query: SELECT", { cause: new Error(text) }))).toBe(failure);
  });
});

it.each([
  ["put: We encountered an internal error. Please try again. (10001)", "repeat"],
  ["put: Reduce your concurrent request rate for the same object. (10058)", "overloaded"],
  ["put: Your metadata headers exceed the maximum allowed metadata size. (10012)", "final"],
])("a call to R2 that fails with “%s”: %s", (text, failure) => {
  expect(r2Failure(new Error(text))).toBe(failure);
});

it("waits longer each time, and not everybody equally long", () => {
  const tries = Array.from({ length: TRIES_AT_MOST - 1 }, (_none, place) => place + 1);
  expect(tries.map((number) => waitBeforeNext(number, 0))).toEqual([50, 100]);
  expect(tries.map((number) => waitBeforeNext(number, 1))).toEqual([100, 200]);
});
