/** Pure: the OpenAPI document as one readable page without a script, and the page's style. */
import type { ApiDocument } from "./api-document.ts";

/** The style of the page. */
export const DOCS_STYLE = `:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; margin: 0; }
main { max-width: 60rem; margin: 0 auto; padding: 1.5rem; }
code, pre { font-family: ui-monospace, monospace; font-size: 0.9em; }
pre { overflow-x: auto; }
section { margin-block: 1.5rem; }
`;

const METHODS = ["get", "post", "patch", "delete"] as const;

export function renderDocs(document: ApiDocument): string {
  const byTag = Object.groupBy(operationsOf(document), ({ operation }) => operation.tags?.[0] ?? "Other");
  const tags = Object.entries(byTag);
  return [
    "<!doctype html>",
    '<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">',
    `<title>${text(document.info.title)} API</title><link rel="stylesheet" href="/docs.css"></head><body><main>`,
    `<h1>${text(document.info.title)} API ${text(document.info.version)}</h1>`,
    `<p>${text(document.info.description ?? "")} The document itself: <a href="/openapi.json">openapi.json</a>.</p>`,
    `<nav><p>${tags.map(([tag]) => `<a href="#${idOf(tag)}">${text(tag)}</a>`).join(" · ")}</p></nav>`,
    ...tags.flatMap(([tag, operations = []]) => [
      `<h2 id="${idOf(tag)}">${text(tag)}</h2>`,
      ...operations.map(({ method, path, operation }) => renderOperation(method, path, operation)),
    ]),
    "<h2>Schemas</h2>",
    ...Object.entries(document.components.schemas).map(([id, schema]) => renderSchema(id, schema)),
    "</main></body></html>",
  ].join("\n");
}

type Operation = NonNullable<NonNullable<ApiDocument["paths"]>[string]["get"]>;

function operationsOf({ paths = {} }: ApiDocument) {
  return Object.entries(paths).flatMap(([path, item]) =>
    METHODS.flatMap((method) => {
      const operation = item[method];
      return operation === undefined ? [] : [{ method, path, operation }];
    }),
  );
}

/** Schemas have ids of their own on the page. */
function idOf(tag: string): string {
  return `tag-${text(tag.toLowerCase())}`;
}

function renderOperation(method: string, path: string, operation: Operation): string {
  const parameters = (operation.parameters ?? []).flatMap((parameter) => ("$ref" in parameter ? [] : [parameter]));
  return [
    `<section><h3><code>${text(method.toUpperCase())} ${text(path)}</code></h3>`,
    `<p>${text(operation.summary ?? "")}${operation.description === undefined ? "" : `. ${text(operation.description)}`}</p>`,
    parameters.length === 0 ? "" : "<ul>",
    ...parameters.map(
      (parameter) =>
        `<li><code>${text(parameter.name)}</code> (${text(parameter.in)}) ` +
        `${text(parameter.description ?? "")} ${schemaLink(parameter.schema)}</li>`,
    ),
    parameters.length === 0 ? "" : "</ul>",
    operation.requestBody === undefined ? "" : `<p>Body: ${contentLink(operation.requestBody)}</p>`,
    ...Object.entries(operation.responses ?? {}).map(
      ([status, answer]) => `<p>${text(status === "default" ? "Errors" : status)}: ${contentLink(answer)}</p>`,
    ),
    "</section>",
  ].join("\n");
}

function renderSchema(id: string, schema: unknown): string {
  return `<details id="${text(id)}"><summary><code>${text(id)}</code></summary><pre>${text(
    JSON.stringify(schema, null, 2),
  )}</pre></details>`;
}

/** The schema of a body or answer, as a link into this page. */
function contentLink(holder: object): string {
  const content: unknown = Reflect.get(holder, "content");
  if (typeof content !== "object" || content === null) return "no body";
  return Object.entries(content)
    .map(([type, media]) => `${text(type)} ${schemaLink(isObject(media) ? Reflect.get(media, "schema") : undefined)}`)
    .join(" or ");
}

function schemaLink(schema: unknown): string {
  if (!isObject(schema)) return "";
  const reference: unknown = Reflect.get(schema, "$ref");
  if (typeof reference !== "string") return `<code>${text(JSON.stringify(schema))}</code>`;
  const id = text(reference.slice(reference.lastIndexOf("/") + 1));
  return `<a href="#${id}">${id}</a>`;
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

function text(value: string): string {
  return value.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}
