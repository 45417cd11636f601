/** The page of the API is served by the worker alone, and looks like the web app all the same. */
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { DOCS_STYLE } from "#worker/http/openapi/docs-style.ts";

it("the page of the API has the web app's colours and fonts", () => {
  const tokens = readFileSync("web/src/styles/tokens.css", "utf8");
  const own = DOCS_STYLE.split("\n").filter((line) => line.startsWith("  --"));
  expect(own.length).toBeGreaterThan(10);
  expect(own.filter((line) => !tokens.includes(line.trim()))).toEqual([]);
});
