/** Pure: the OpenAPI document as one readable page without a script. */
import { API_ERRORS } from "#protocol/api-errors.ts";
import { type ApiErrorCode, apiErrorCodes } from "#protocol/errors.ts";
import type { ApiDocument } from "./api-document.ts";

const METHODS = ["get", "post", "put", "patch", "delete"] as const;

/** How to begin, before all that there is. */
const BEGINNING = `<h2 id="authentication">How to authenticate</h2>
<p>Send the owner's token with each request. On your own machine <code>npm start</code> writes it to <code>secrets.json</code> in the folder
of its state, <code>.reveille</code>; a deployed instance has the one that you gave it as <code>OWNER_TOKEN</code>.</p>
<pre><code>export REVEILLE_URL=http://localhost:8787
export REVEILLE_TOKEN=…

curl -H "Authorization: Bearer $REVEILLE_TOKEN" $REVEILLE_URL/api/v1/routines</code></pre>
<p>A body is JSON, and says so:</p>
<pre><code>curl -X POST $REVEILLE_URL/api/v1/routines \\
  -H "Authorization: Bearer $REVEILLE_TOKEN" -H "Content-Type: application/json" \\
  -d '{"name": "docs-sync", "prompt": "Compare what was merged this week with the docs.", "triggers": [{"type": "api"}]}'</code></pre>
<p>A routine is fired with a token of its own, which can do nothing else: <a href="#issueRoutineToken">issue one</a>, then
<a href="#fireRoutine">fire</a>. Errors have one shape, <a href="#Error">Error</a>; <code>details.code</code> is the code that each operation names.</p>`;

export function renderDocs(document: ApiDocument): string {
  const byTag = Object.groupBy(operationsOf(document), ({ operation }) => operation.tags?.[0] ?? "Other");
  const tags = Object.entries(byTag);
  return [
    "<!doctype html>",
    '<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">',
    `<title>${text(document.info.title)} API</title><link rel="stylesheet" href="/docs.css"></head><body><div class="frame">`,
    '<nav aria-label="Contents"><ul><li><a href="/">Back to the pages</a></li><li><a href="#authentication">How to authenticate</a></li></ul>',
    ...tags.map(([tag, operations = []]) => renderContents(tag, operations)),
    '<ul><li><a href="#schemas">Schemas</a></li></ul></nav><main>',
    `<h1>${text(document.info.title)} API <span class="quiet">${text(document.info.version)}</span></h1>`,
    `<p>${text(document.info.description ?? "")} The document itself: <a href="/openapi.json">openapi.json</a>.</p>`,
    BEGINNING,
    ...tags.flatMap(([tag, operations = []]) => [
      `<h2 id="${idOf(tag)}">${text(tag)}</h2>`,
      ...operations.map(({ method, path, operation }) => renderOperation(method, path, operation)),
    ]),
    '<h2 id="schemas">Schemas</h2>',
    ...Object.entries(document.components.schemas).map(([id, schema]) => renderSchema(id, schema)),
    "</main></div></body></html>",
  ].join("\n");
}

function renderContents(tag: string, operations: ReturnType<typeof operationsOf>): string {
  const links = operations.map(
    ({ operation }) => `<li><a href="#${text(operation.operationId ?? "")}">${text(operation.summary ?? "")}</a></li>`,
  );
  return `<details><summary>${text(tag)}</summary><ul><li><a href="#${idOf(tag)}">All of ${text(tag)}</a></li>${links.join("")}</ul></details>`;
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
  const id = text(operation.operationId ?? "");
  const answers = Object.entries(operation.responses ?? {});
  const parameters = (operation.parameters ?? []).flatMap((parameter) => ("$ref" in parameter ? [] : [parameter]));
  return [
    `<section id="${id}"><h3><a href="#${id}"><code><span class="method">${text(method.toUpperCase())}</span>${text(path)}</code></a></h3>`,
    `<p>${text(operation.summary ?? "")}${operation.description === undefined ? "" : `. ${text(operation.description)}`}</p>`,
    parameters.length === 0 ? "" : "<ul>",
    ...parameters.map(
      (parameter) =>
        `<li><code>${text(parameter.name)}</code> (${text(parameter.in)}) ` +
        `${text(parameter.description ?? "")} ${schemaLink(parameter.schema)}</li>`,
    ),
    parameters.length === 0 ? "" : "</ul>",
    operation.requestBody === undefined ? "" : renderContent("Body", operation.requestBody),
    ...answers
      .filter(([status]) => /^[123]/.test(status))
      .map(([status, answer]) => renderContent(text(status), answer)),
    "<details><summary>Errors</summary><ul>",
    ...answers.flatMap(([status, answer]) => errorCodes(answer).map((code) => errorItem(status, code))),
    "</ul></details>",
    "</section>",
  ].join("\n");
}

function errorCodes(answer: object): ApiErrorCode[] {
  const codes: unknown = Reflect.get(answer, "x-error-codes");
  return Array.isArray(codes) ? apiErrorCodes.filter((code) => codes.includes(code)) : [];
}

function errorItem(status: string, code: ApiErrorCode): string {
  const { message, hint } = API_ERRORS[code];
  return `<li>${text(status)} <code>${text(code)}</code> ${text(message)} <span class="quiet">${text(hint)}</span></li>`;
}

function renderSchema(id: string, schema: unknown): string {
  return `<details id="${text(id)}"><summary><code>${text(id)}</code></summary><pre>${text(
    JSON.stringify(schema, null, 2),
  )}</pre></details>`;
}

/** The schema of a body or answer, as a link into this page, and an example of it. */
function renderContent(label: string, holder: object): string {
  const content: unknown = Reflect.get(holder, "content");
  if (!isObject(content)) return `<p>${label}: no body</p>`;
  const media = Object.entries(content).filter((entry): entry is [string, object] => isObject(entry[1]));
  const links = media.map(([type, one]) => `${text(type)} ${schemaLink(Reflect.get(one, "schema"))}`);
  return [
    `<p>${label}: ${links.join(" or ")}</p>`,
    ...media.map(([, one]) => renderExample(Reflect.get(one, "example"))),
  ].join("\n");
}

function renderExample(example: unknown): string {
  if (example === undefined) return "";
  const shown = typeof example === "string" ? example : JSON.stringify(example, null, 2);
  return `<details><summary>Example</summary><pre>${text(shown)}</pre></details>`;
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
