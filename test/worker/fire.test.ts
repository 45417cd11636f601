/** A script that was written for the real product fires a routine: headers, body, answer and errors. */
import { describe, expect, it } from "vitest";
import { fireAnswerSchema } from "#protocol/api.ts";
import { IDEMPOTENCY_KEY_LIMIT } from "#protocol/occurrence.ts";
import { runSchema } from "#protocol/run.ts";
import { type Asked, ask, createRoutine, errorOf, issueToken, ORIGIN, read } from "./support.ts";

const UNKNOWN = `rtn_${"0".repeat(26)}`;

async function routineWithToken(input: Record<string, unknown> = {}) {
  const { id } = await createRoutine({ max_concurrent: 100, ...input });
  const token = await issueToken(id);
  const path = `/v1/claude_code/routines/${id}/fire`;
  return { id, token, path, fire: (asked: Asked = {}) => ask(path, { method: "POST", token, ...asked }) };
}

describe("fire", () => {
  it("answers as the real product does", async () => {
    const { fire } = await routineWithToken();
    const answer = await fire({
      body: { text: "Deploy failed", unknown_field: [1] },
      headers: { "anthropic-version": "2023-06-01", "anthropic-beta": "experimental-cc-routine-2026-04-01" },
    });
    expect(answer.status).toBe(200);
    const body = fireAnswerSchema.strict().parse(await answer.json());
    expect(body.claude_code_session_url).toBe(`${ORIGIN}/sessions/${body.claude_code_session_id}`);
    expect(await read(runSchema, `/api/v1/runs/${body.run_id}`)).toMatchObject({ trigger: { type: "api" } });
  });

  it("tells a stranger that the token is wrong before anything about the body", async () => {
    const { path, fire } = await routineWithToken();
    const body = { body: "{bad", headers: { "content-type": "application/json" } };
    expect((await ask(path, { method: "POST", token: "wrong", ...body })).status).toBe(401);
    expect((await fire(body)).status).toBe(400);
  });

  it.each<[string, Asked]>([
    ["no body and no type", {}],
    ["no body, with a type", { headers: { "content-type": "application/json" } }],
    ["no body, with another type", { headers: { "content-type": "text/plain" } }],
    ["an empty object", { body: {} }],
    ["an empty text", { body: { text: "" } }],
    ["JSON as literal text", { body: { text: '{"looks":"like JSON"}' } }],
    ["as many characters as are allowed", { body: { text: "x".repeat(65_536) } }],
    ["as many of three bytes", { body: { text: "€".repeat(65_536) } }],
    [
      "as many, each escaped",
      { body: `{"text":"${"\\u20ac".repeat(65_536)}"}`, headers: { "content-type": "application/json" } },
    ],
    ["a lone surrogate", { body: '{"text":"\\ud800"}', headers: { "content-type": "application/json" } }],
    ["a lower-case scheme", { headers: { authorization: "" } }],
  ])("takes %s", async (what, asked) => {
    const { fire, token } = await routineWithToken();
    const headers = what === "a lower-case scheme" ? { authorization: `bearer ${token}` } : (asked.headers ?? {});
    expect((await fire({ ...asked, headers })).status).toBe(200);
  });

  it.each<[string, Asked, number, string]>([
    ["one character too many", { body: { text: "x".repeat(65_537) } }, 400, "text"],
    ["a text that is none", { body: { text: 7 } }, 400, "text"],
    ["a list", { body: [] }, 400, "body"],
    ["a bare text", { body: '"text"', headers: { "content-type": "application/json" } }, 400, "body"],
    ["what is not JSON", { body: "text=1", headers: { "content-type": "application/json" } }, 400, "body"],
    [
      "a form",
      { body: "text=1", headers: { "content-type": "application/x-www-form-urlencoded" } },
      415,
      "Content-Type",
    ],
    ["JSON without its type", { body: new TextEncoder().encode('{"text":"x"}') }, 415, "Content-Type"],
    ["an empty key", { headers: { "idempotency-key": "" } }, 400, "Idempotency-Key"],
    ["a key that is too long", { headers: { "idempotency-key": "k".repeat(256) } }, 400, "Idempotency-Key"],
  ])("refuses %s", async (_what, asked, status, field) => {
    const { fire } = await routineWithToken();
    expect(await errorOf(await fire(asked))).toMatchObject({ status, details: { field } });
  });

  it("tells an unknown routine from a token that is none of its own", async () => {
    const { path, token } = await routineWithToken();
    const other = await routineWithToken();
    for (const bearer of [null, "", "rvf_wrong", other.token]) {
      const refused = await ask(path, { method: "POST", token: bearer });
      expect(refused.headers.get("www-authenticate")).toBe("Bearer");
      expect(await errorOf(refused)).toMatchObject({ status: 401, type: "authentication_error" });
    }
    const unknown = await ask(path.replace(/rtn_[^/]+/, UNKNOWN), { method: "POST", token });
    expect(await errorOf(unknown)).toMatchObject({ status: 404, type: "not_found_error" });
  });

  it("refuses a token that was right, once there is another or none, and a wrong one after it", async () => {
    const { id, path, fire, token } = await routineWithToken();
    const statusOf = async (bearer: string) => (await ask(path, { method: "POST", token: bearer })).status;
    expect([(await fire()).status, (await fire()).status]).toEqual([200, 200]);
    expect(await statusOf(`${token.slice(0, -1)}${token.endsWith("0") ? "1" : "0"}`)).toBe(401);
    // As many characters, and more bytes.
    expect(await statusOf(`${token.slice(0, -1)}\u00e9`)).toBe(401);
    const next = await issueToken(id);
    expect([await statusOf(token), await statusOf(next), await statusOf(token)]).toEqual([401, 200, 401]);
    expect((await ask(`/api/v1/routines/${id}/token`, { method: "DELETE" })).status).toBe(204);
    expect([await statusOf(next), await statusOf(token)]).toEqual([401, 401]);
  });

  it("gives the same answer for the same key, and refuses the key for another body", async () => {
    const { fire } = await routineWithToken();
    const headers = { "idempotency-key": "k".repeat(IDEMPOTENCY_KEY_LIMIT) };
    const answers = await Promise.all(Array.from({ length: 50 }, () => fire({ body: {}, headers })));
    const bodies = await Promise.all(
      answers.map(async (answer) => fireAnswerSchema.strict().parse(await answer.json())),
    );
    expect(bodies.filter(({ duplicate }) => duplicate === undefined)).toHaveLength(1);
    const same = bodies.map(({ duplicate: _duplicate, ...body }) => JSON.stringify(body));
    expect(new Set(same).size).toBe(1);
    // No body means what an empty object means.
    expect((await fire({ headers })).status).toBe(200);
    const other = await errorOf(await fire({ body: { text: "other" }, headers }));
    expect(other).toMatchObject({ status: 422, details: { code: "idempotency_key_reused" } });
  });

  it("names the occurrence that the overlap policy skipped", async () => {
    const { fire } = await routineWithToken({ overlap: "skip" });
    expect((await fire()).status).toBe(200);
    const skipped = await errorOf(await fire());
    expect(skipped).toMatchObject({ status: 409, type: "conflict_error", details: { code: "overlap_skipped" } });
    expect(skipped.details?.occurrence_id).toMatch(/^occ_/);
  });

  it("limits the rate of one token, and tells when to come again", async () => {
    const { fire } = await routineWithToken({ overlap: "skip" });
    const answers = await Promise.all(Array.from({ length: 260 }, () => fire()));
    const limited = answers.filter(({ status }) => status === 429);
    expect(limited.length).toBeGreaterThan(0);
    for (const answer of limited) expect(Number(answer.headers.get("retry-after"))).toBeGreaterThan(0);
    const [first] = limited;
    if (first !== undefined) expect(await errorOf(first)).toMatchObject({ type: "rate_limit_error" });
  });
});
