/** The document of the API: what leads somewhere leads to something, and refusals are those that it tells of each operation. */
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { apiErrorCodes } from "#protocol/errors.ts";
import { examplesBeside } from "#worker/http/openapi/examples/example.ts";
import { EXAMPLES } from "#worker/http/openapi/examples/example-of.ts";
import { ask, createRoutine, errorOf, read } from "./support.ts";

const content = z.record(z.string(), z.looseObject({ schema: z.looseObject({}), example: z.unknown().optional() }));
const responses = z.record(
  z.string(),
  z.looseObject({ "x-error-codes": z.array(z.enum(apiErrorCodes)).optional(), content: content.optional() }),
);
const requestBody = z.looseObject({ content }).optional();
const documentSchema = z.looseObject({
  paths: z.record(z.string(), z.record(z.string(), z.looseObject({ operationId: z.string(), requestBody, responses }))),
});
const readDocument = () => read(documentSchema, "/openapi.json");
const UNKNOWN = "0".repeat(26);

describe("the document of the API", () => {
  it("has no reference that leads nowhere, and each operation's id once", async () => {
    const document = await readDocument();
    const references = [...JSON.stringify(document).matchAll(/"\$ref":"#\/([^"]+)"/g)].map(([, path = ""]) => path);
    const lost = references.filter((path) => {
      let at: unknown = document;
      for (const key of path.split("/")) at = z.record(z.string(), z.unknown()).safeParse(at).data?.[key];
      return at === undefined;
    });
    expect(references.length).toBeGreaterThan(100);
    expect(lost).toEqual([]);
    const ids = Object.values(document.paths).flatMap((item) =>
      Object.values(item).map(({ operationId }) => operationId),
    );
    expect(ids.filter((id, place) => ids.indexOf(id) !== place)).toEqual([]);
  });

  it("has an example of each JSON body and answer, and the error codes of each operation", async () => {
    const { paths } = await readDocument();
    const operations = Object.values(paths).flatMap((item) => Object.values(item));
    const lacking = operations.flatMap(({ operationId, requestBody: body, responses: answers }) => {
      const told = Object.entries(answers).filter(([status]) => Number(status) < 400);
      const shown = [body?.content, ...told.map(([, answer]) => answer.content)];
      const isWhole = shown.every(
        (media) => media?.["application/json"] === undefined || "example" in media["application/json"],
      );
      const codes = Object.values(answers).flatMap((answer) => answer["x-error-codes"] ?? []);
      return isWhole && codes.length > 0 ? [] : [operationId];
    });
    expect(operations.length).toBeGreaterThan(100);
    expect(lacking).toEqual([]);
  });

  it("has examples that their own schemas take, and lose nothing of", () => {
    for (const [schema, value] of [...EXAMPLES, ...examplesBeside()]) {
      expect(z.parse(schema, value), z.globalRegistry.get(schema)?.id).toMatchObject(Object(value));
    }
  });

  it.each([
    ["get", "/api/v1/routines", "?cursor=x", undefined, "invalid_cursor"],
    ["get", "/api/v1/routines", "?limit=x", undefined, "invalid_request"],
    ["post", "/api/v1/routines", "", "{", "invalid_json"],
    ["post", "/api/v1/routines", "", { name: "x", prompt: "y", prompt_file: "./x.md" }, "not_available_yet"],
    ["patch", "/api/v1/routines/{id}", "", { name: "x", if_revision: 9 }, "revision_conflict"],
    ["get", "/api/v1/runs/{run}", "", undefined, "not_found"],
    ["post", "/api/v1/pools", "", { name: "default" }, "pool_exists"],
    ["post", "/api/v1/environments", "", { name: "default" }, "environment_exists"],
    ["post", "/v1/claude_code/routines/{id}/fire", "", {}, "routine_token_invalid"],
    ["post", "/api/v1/sign-in", "", { token: "wrong" }, "sign_in_refused"],
  ] as const)("tells that %s %s%s is refused as it is", async (method, template, query, body, code) => {
    const { id } = await createRoutine();
    const path = template.replace("{id}", id).replace("{run}", `run_${UNKNOWN}`);
    const headers = { "content-type": "application/json" };
    const answer = await ask(`${path}${query}`, {
      method: method.toUpperCase(),
      ...(body === undefined ? {} : { body, headers }),
    });
    const { status, details } = await errorOf(answer);
    expect(details?.code).toBe(code);
    const { paths } = await readDocument();
    const operation = paths[template.replace("{run}", "{id}")]?.[method];
    expect(operation?.responses[String(status)]?.["x-error-codes"]).toContain(code);
  });
});
