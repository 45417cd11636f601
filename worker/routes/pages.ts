/** The web app: one page, served at every address that people have, and the files that it loads. */
import type { App, HttpContext } from "../http/http-env.ts";
import { renderRefusal } from "../http/render-error.ts";
import { pagePolicy } from "../http/security-headers.ts";

/** Its page sends the browser to GitHub, with a form. */
const SETUP = "/setup";
/** An id of whatever form gets the page: it tells a person that there is no such thing better than JSON would. */
const PAGE_PATHS = ["/", "/routines/:id", "/sessions/:id", SETUP];
const NOT_BUILT = {
  code: "not_found",
  message: "The web app is not part of this build.",
  hint: "npm start builds it, and so does npm run build:web before a deploy; the API is complete without.",
} as const;

export function mountPages(app: App): void {
  for (const path of PAGE_PATHS) {
    app.get(path, async (c) => {
      const page = await readFile(c, "/index.html");
      if (page === null) return renderRefusal(c, NOT_BUILT);
      const formsTo = path === SETUP ? c.var.deps.config.github.webOrigin : undefined;
      page.headers.set("content-security-policy", pagePolicy(formsTo));
      // Kept, but asked for each time: the next deploy has other files.
      page.headers.set("cache-control", "no-cache");
      return page;
    });
  }
  app.get("/assets/:name", async (c) => {
    const file = await readFile(c, new URL(c.req.url).pathname);
    if (file === null) return renderRefusal(c, { code: "not_found" });
    // The name has a hash of the content in it.
    file.headers.set("cache-control", "public, max-age=31536000, immutable");
    return file;
  });
}

/** @returns the file with its type and etag, or 304 where the caller has it already; null when there is none. */
async function readFile(c: HttpContext, path: string): Promise<Response | null> {
  const known = c.req.header("if-none-match");
  const found = await c.var.deps.readAsset(path, known === undefined ? {} : { "if-none-match": known });
  if (!found.ok && found.status !== 304) return null;
  const headers = new Headers();
  for (const name of ["content-type", "etag"]) {
    const value = found.headers.get(name);
    if (value !== null) headers.set(name, value);
  }
  return new Response(found.body, { status: found.status, headers });
}
