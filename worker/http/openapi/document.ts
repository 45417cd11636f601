/** The OpenAPI document, and the page that shows it. */
import { VERSION } from "#worker/health/health.ts";
import type { App } from "../http-env.ts";
import { pagePolicy } from "../security-headers.ts";
import { type ApiDocument, SECURITY_SCHEMES } from "./api-document.ts";
import { withComponents } from "./components.ts";
import { renderDocs } from "./docs-page.ts";
import { DOCS_STYLE } from "./docs-style.ts";

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

/** Made when it is first wanted, when every endpoint is mounted. */
export function apiDocument(app: App): ApiDocument {
  const kept = documents.get(app);
  if (kept !== undefined) return kept;
  const made = app.getOpenAPI31Document({
    openapi: "3.1.0",
    info: { title: "Reveille", version: VERSION, description: INTRODUCTION },
  });
  const { paths, schemas } = withComponents(made.paths ?? {});
  const document = { ...made, paths, components: { schemas, securitySchemes: SECURITY_SCHEMES } };
  documents.set(app, document);
  return document;
}
