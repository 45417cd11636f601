/** Every refusal has the one shape of an error answer, and every run error says what to do. */
import { describe, expect, it } from "vitest";
import { apiErrorCodes, errorAnswer, errorBodySchema, refuse, success } from "#protocol/errors.ts";
import { isMachineryFailure, runError, runErrorCodes, runErrorSchema } from "#protocol/run-errors.ts";

/** Statuses as the contract lays them down for each type. */
const STATUS = {
  invalid_request_error: 400,
  authentication_error: 401,
  permission_error: 403,
  not_found_error: 404,
  conflict_error: 409,
  request_too_large: 413,
  unsupported_media_type: 415,
  unprocessable_error: 422,
  rate_limit_error: 429,
  api_error: 500,
  overloaded_error: 503,
} as const;

describe("errorAnswer", () => {
  it.each(apiErrorCodes)("%s has the shape of an error answer, with a sentence and what to do", (code) => {
    const { status, body } = errorAnswer({ code }, "req_1");
    expect(errorBodySchema.parse(body)).toEqual(body);
    expect(status).toBe(STATUS[body.error.type]);
    expect(Object.keys(body).sort()).toEqual(["error", "request_id", "type"]);
    expect(body).toMatchObject({ type: "error", request_id: "req_1", error: { details: { code } } });
    expect(body.error.message).toMatch(/^[A-Z].*\.$/);
    expect(body.error.hint).toMatch(/^[A-Z].*\.$/);
  });

  it("says the case's own words, and gives its facts as details", () => {
    const { refusal } = refuse("invalid_request", {
      message: "name: must not be empty",
      hint: "Give it a name.",
      field: "name",
      issues: [{ field: "name", message: "must not be empty" }],
    });
    expect(errorAnswer(refusal, "req_2").body).toEqual({
      type: "error",
      error: {
        type: "invalid_request_error",
        message: "name: must not be empty",
        hint: "Give it a name.",
        details: {
          code: "invalid_request",
          field: "name",
          issues: [{ field: "name", message: "must not be empty" }],
        },
      },
      request_id: "req_2",
    });
  });

  it.each([
    ["the occurrence of a skipped fire", { occurrence_id: "occ_1" }, { occurrence_id: "occ_1" }],
    ["the limit of a body", { limit_bytes: 1_000 }, { limit_bytes: 1_000 }],
    ["the rule of a proxy", { reason: "not this repository" }, { reason: "not this repository" }],
    ["not the seconds to wait, which are a header", { retry_after_s: 7 }, {}],
  ])("details have %s", (_sentence, facts, details) => {
    const { body } = errorAnswer({ code: "rate_limited", ...facts }, "req_3");
    expect(body.error.details).toEqual({ code: "rate_limited", ...details });
  });
});

describe("results", () => {
  it("carry a value, or a refusal", () => {
    expect(success(7)).toEqual({ ok: true, value: 7 });
    expect(refuse("not_found")).toEqual({ ok: false, refusal: { code: "not_found" } });
  });
});

describe("runError", () => {
  it.each(runErrorCodes)("%s has a sentence and what to do", (code) => {
    const error = runError(code, "agent");
    expect(runErrorSchema.parse(error)).toEqual(error);
    expect(error).toMatchObject({ code, phase: "agent" });
    expect(error.message).toMatch(/^[A-Z].*\.$/);
    expect(error.hint).toMatch(/^[A-Z].*\.$/);
  });

  it("adds what is known of the case", () => {
    expect(runError("clone_failed", "clone", "No such branch.").message).toBe(
      "A repository could not be cloned. No such branch.",
    );
  });

  it("does not try again what the task, its limits or its settings brought about", () => {
    const final = runErrorCodes.filter((code) => !isMachineryFailure(code));
    expect(final).toEqual(
      expect.arrayContaining(["agent_failed", "turns_exhausted", "timed_out", "clone_failed", "sandbox_unavailable"]),
    );
    expect(final).not.toContain("runner_lost");
  });
});

it("no code means two things", () => {
  const codes = [...apiErrorCodes, ...runErrorCodes];
  expect(new Set(codes).size).toBe(codes.length);
});
