/** The web app: one page, served at every address that people have, and the files that it loads. */
import type { App, HttpContext } from "../http/http-env.ts";
import { renderRefusal } from "../http/render-error.ts";
import { pagePolicy, SCRIPT_POLICY } from "../http/security-headers.ts";

/** Its page sends the browser to GitHub, with a form. */
const SETUP = "/setup";
/**
 * Under each of these the web app has pages, and gets every address whatever its form: it tells a person that there is no such
 * thing better than JSON would.
 */
const PAGE_ADDRESSES = [
  "/home",
  "/routines",
  "/runs",
  "/sessions",
  "/deliveries",
  "/budgets",
  "/dead-letters",
  "/pools",
  "/environments",
  "/connectors",
  "/secrets",
  "/notifications",
  "/doctor",
  "/settings",
  SETUP,
];
/** Under these only programs ask; they are answered in JSON. */
const FOR_PROGRAMS = /^\/(?:api|v1|webhooks|runner|proxy|assets|healthz|readyz|openapi\.json)(?:\/|$)/;
/** Files whose addresses are fixed, for browsers look for them by name: the manifest and the icons. */
const FIXED_FILE = /^\/[a-z0-9][a-z0-9-]*\.(?:webmanifest|svg|png|ico)$/;
const REVALIDATED = "no-cache";
const NOT_BUILT = {
  code: "not_found",
  message: "The web app is not part of this build.",
  hint: "npm start builds it, and so does npm run build:web before a deploy; the API is complete without.",
} as const;

export function mountPages(app: App): void {
  const page = async (c: HttpContext) => (await readPage(c)) ?? renderRefusal(c, NOT_BUILT);
  app.get("/", page);
  for (const address of PAGE_ADDRESSES) app.get(`${address}/*`, page);
  app.get("/assets/:name", async (c) => {
    const file = await readFile(c, new URL(c.req.url).pathname);
    if (file === null) return renderRefusal(c, { code: "not_found" });
    file.headers.set("content-security-policy", SCRIPT_POLICY);
    // The name has a hash of the content in it.
    file.headers.set("cache-control", "public, max-age=31536000, immutable");
    return file;
  });
}

/** What a browser gets at an address that no route knows; null for other callers, who are told in JSON. */
export async function answerBrowser(c: HttpContext): Promise<Response | null> {
  const { pathname } = new URL(c.req.url);
  if (!["GET", "HEAD"].includes(c.req.method)) return null;
  if (FIXED_FILE.test(pathname)) {
    const file = await readFile(c, pathname);
    if (file !== null) file.headers.set("cache-control", REVALIDATED);
    return file;
  }
  if (FOR_PROGRAMS.test(pathname) || !prefersPage(c.req.header("accept") ?? "")) return null;
  // Never 304, which would say that there is such a page.
  const page = await readPage(c, null);
  return page === null ? null : new Response(page.body, { status: 404, headers: page.headers });
}

/** Browsers name HTML when they go to an address, and programs do not. */
function prefersPage(accept: string): boolean {
  return /(?:^|[\s,])text\/html(?:[\s,;]|$)/i.test(accept);
}

async function readPage(c: HttpContext, known = knownTag(c)): Promise<Response | null> {
  const page = await readFile(c, "/index.html", known);
  if (page === null) return null;
  const formsTo = c.req.path === SETUP ? c.var.deps.config.github.webOrigin : undefined;
  page.headers.set("content-security-policy", pagePolicy(formsTo));
  // Kept, but asked for each time: the next deploy has other files.
  page.headers.set("cache-control", REVALIDATED);
  return page;
}

/** @returns the file with its type and etag, or 304 where the caller has it already; null when there is none. */
async function readFile(c: HttpContext, path: string, known = knownTag(c)): Promise<Response | null> {
  const found = await c.var.deps.readAsset(path, known === null ? {} : { "if-none-match": known });
  if (!found.ok && found.status !== 304) return null;
  const headers = new Headers();
  for (const name of ["content-type", "etag"]) {
    const value = found.headers.get(name);
    if (value !== null) headers.set(name, value);
  }
  return new Response(found.body, { status: found.status, headers });
}

function knownTag(c: HttpContext): string | null {
  return c.req.header("if-none-match") ?? null;
}
