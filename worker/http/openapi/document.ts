/** The OpenAPI document, and the page that shows it. */
import { z } from "zod";
import { VERSION } from "#worker/health/health.ts";
import type { App } from "../http-env.ts";
import { pagePolicy } from "../security-headers.ts";
import { type ApiDocument, SECURITY_SCHEMES } from "./api-document.ts";
import { DOCS_STYLE, renderDocs } from "./docs-page.ts";

const INTRODUCTION =
  "Saved routines for Claude Code that you run yourself. JSON in snake_case, times as RFC 3339 UTC with milliseconds, " +
  "money in US dollars. Every error has one shape; lists are newest first, with limit and cursor.";

export function mountOpenApi(app: App): void {
  app.get("/openapi.json", (c) => c.json(apiDocument(app)));
  app.get("/docs", (c) => {
    c.header("content-security-policy", pagePolicy());
    return c.html(renderDocs(apiDocument(app)));
  });
  app.get("/docs.css", (c) => c.body(DOCS_STYLE, 200, { "content-type": "text/css; charset=utf-8" }));
}

const documents = new WeakMap<App, ApiDocument>();

/** Made at the first request for it, when every endpoint is mounted. */
function apiDocument(app: App): ApiDocument {
  const kept = documents.get(app);
  if (kept !== undefined) return kept;
  const made = app.getOpenAPI31Document({
    openapi: "3.1.0",
    info: { title: "Reveille", version: VERSION, description: INTRODUCTION },
  });
  const document = { ...made, components: { schemas: componentSchemas(), securitySchemes: SECURITY_SCHEMES } };
  documents.set(app, document);
  return document;
}

/**
 * Every schema with an id, as zod itself writes it: recursive and nullable references come out right.
 * In the form that senders write, so that what has a default is not required.
 */
function componentSchemas(): Record<string, object> {
  const { schemas } = z.toJSONSchema(z.globalRegistry, { io: "input", uri: (id) => `#/components/schemas/${id}` });
  return Object.fromEntries(
    Object.entries(schemas).map(([id, { $schema: _dialect, $id: _id, ...schema }]) => [id, schema]),
  );
}
