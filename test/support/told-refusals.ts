/** Holds what the worker refuses to what its document tells: each error answer that a test meets has one of its operation's codes. */
import { z } from "zod";
import { errorBodySchema } from "#protocol/errors.ts";
import { app } from "#worker/app.ts";
import { apiDocument } from "#worker/http/openapi/document.ts";

const responses = z.record(z.string(), z.looseObject({ "x-error-codes": z.array(z.string()).optional() }));
const pathsSchema = z.record(z.string(), z.record(z.string(), z.looseObject({ responses })));

let paths: z.output<typeof pathsSchema> | undefined;
const untold = new Set<string>();

/** Notes an answer that its operation does not tell of. @param path with or without a query. @param body as it was sent. */
export function noteRefusal(method: string, path: string, status: number, body: string): void {
  if (status < 400) return;
  const template = templateOf(new URL(path, "http://reveille.test").pathname, method.toLowerCase());
  const parsed = errorBodySchema.safeParse(jsonOf(body));
  const code = parsed.data?.error.details?.code;
  if (template === null || code === undefined) return;
  const told = paths?.[template]?.[method.toLowerCase()]?.responses[String(status)]?.["x-error-codes"];
  if (told?.includes(code) !== true) untold.add(`${method} ${template}: ${status} ${code}`);
}

/** What was met since this was last asked. */
export function untoldRefusals(): string[] {
  const met = [...untold];
  untold.clear();
  return met;
}

/** @returns null for what the document does not have: paths of runners and proxies, and unknown ones. */
function templateOf(path: string, method: string): string | null {
  paths ??= pathsSchema.parse(apiDocument(app).paths);
  const fits = Object.keys(paths).filter((template) => isOf(template, path));
  // `/routines/validate` is a path of its own, though `/routines/{id}` fits it too.
  const [best] = fits.sort((one, other) => one.split("{").length - other.split("{").length);
  return best === undefined || paths[best]?.[method] === undefined ? null : best;
}

function isOf(template: string, path: string): boolean {
  const wanted = template.split("/");
  const given = path.split("/");
  return wanted.length === given.length && wanted.every((part, at) => part.startsWith("{") || part === given[at]);
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
