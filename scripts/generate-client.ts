/**
 * Writes the web app's client, `web/src/client/generated.ts`, from the OpenAPI document: a function for each operation and
 * a type for each schema. With `--check`, fails where what is there differs; with `--document FILE`, writes the document
 * there instead, for other generators.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { registerHooks } from "node:module";
import { tmpdir } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { generate } from "orval";
import { complain } from "./terminal.ts";

const ROOT = path.dirname(import.meta.dirname);
const CLIENT = path.join(ROOT, "web", "src", "client");
const GENERATED = path.join(CLIENT, "generated.ts");
/** Named here so that the worker's code is not checked with Node's types. */
const WORKER_APP = "#worker/app.ts";
const DOCUMENT = "#worker/http/openapi/document.ts";
const EVENT_STREAM = "text/event-stream";
/** What workerd has and Node has not; the document needs nothing of it but the names. */
const PLATFORM =
  "export class DurableObject {} export class WorkerEntrypoint {} export const env = {}; export const exports = {}; export const waitUntil = () => {};";

registerHooks({
  resolve: (specifier, context, next) =>
    specifier.startsWith("cloudflare:")
      ? { url: `platform:${specifier}`, format: "module", shortCircuit: true }
      : next(specifier, context),
  load: (url, context, next) =>
    url.startsWith("platform:") ? { format: "module", source: PLATFORM, shortCircuit: true } : next(url, context),
});

const { values: options } = parseArgs({ options: { check: { type: "boolean" }, document: { type: "string" } } });
if (options.document === undefined) await keepClient();
else writeFileSync(options.document, JSON.stringify(await readDocument()));

async function keepClient(): Promise<void> {
  const made = await makeClient();
  if (options.check !== true) {
    writeFileSync(GENERATED, made);
  } else if (made !== readFileSync(GENERATED, "utf8")) {
    complain(
      "web/src/client/generated.ts: the API has changed. Run npm run generate:client, and commit what it writes.",
    );
    process.exitCode = 1;
  }
}

async function readDocument(): Promise<object> {
  const { app }: { app: unknown } = await import(WORKER_APP);
  const { apiDocument }: { apiDocument(app: unknown): object } = await import(DOCUMENT);
  return apiDocument(app);
}

async function makeClient(): Promise<string> {
  const folder = mkdtempSync(path.join(tmpdir(), "reveille-client-"));
  try {
    const document = path.join(folder, "openapi.json");
    const target = path.join(folder, "generated.ts");
    // The pages read a transcript as JSON and over the WebSocket, never as a stream of server-sent events.
    writeFileSync(
      document,
      JSON.stringify(await readDocument(), (key, value) => (key === EVENT_STREAM ? undefined : value)),
    );
    await generate({
      input: { target: document },
      output: {
        target,
        client: "fetch",
        mode: "single",
        urlEncodeParameters: true,
        override: {
          mutator: { path: path.join(CLIENT, "call.ts"), name: "call" },
          fetch: { includeHttpResponseReturnType: false },
        },
      },
    });
    return withOneHelper(readFileSync(target, "utf8").replace(/from '[^']*call(\.ts)?'/, "from './call.ts'"));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Every function that sends a body brings the same helper for headers, which pages would load dozens of times. */
function withOneHelper(client: string): string {
  const helper = /^ *const getHeaders = [\s\S]*?^ {2}\};\n/m.exec(client)?.[0];
  return helper === undefined ? client : `${client.replaceAll(helper, "")}\n${helper.trim()}\n`;
}
