/** The web app's page and files, as a browser asks for them. */
import { createExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { app } from "#worker/app.ts";
import { ask, errorOf } from "./support.ts";

const SCRIPT = "/assets/app-4f2a.js";

function get(path: string, headers: Record<string, string> = {}) {
  return ask(path, { token: null, headers });
}

describe("the page", () => {
  it.each([
    "/",
    "/?x=1",
    "/routines",
    "/routines/",
    "/routines/new",
    "/routines/rtn_06ETZ",
    "/routines/rtn_06ETZ/edit",
    "/sessions/session_06ETZ",
    "/sessions/%3Cb%3E",
    "/runs/run_06ETZ",
    "/home",
    "/deliveries",
    "/dead-letters",
    "/budgets",
    "/pools",
    "/environments",
    "/connectors",
    "/connectors/con_06ETZ",
    "/secrets",
    "/notifications",
    "/doctor",
    "/settings",
  ])("is served at %s, and may load nothing that is inline or from elsewhere", async (path) => {
    const page = await get(path);
    expect(page.status).toBe(200);
    expect(page.headers.get("content-type")).toMatch(/^text\/html/);
    expect(page.headers.get("cache-control")).toBe("no-cache");
    expect(page.headers.get("content-security-policy")).toBe(
      "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; img-src 'self'; connect-src 'self'; " +
        "manifest-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    );
    expect(page.headers.get("x-frame-options")).toBe("DENY");
    expect(page.headers.get("referrer-policy")).toBe("no-referrer");
    expect(page.headers.get("request-id")).toMatch(/^req_/);
    expect(await page.text()).toContain(`src="${SCRIPT}"`);
  });

  it("is not sent again to who has it", async () => {
    const page = await get("/");
    const etag = page.headers.get("etag") ?? "";
    expect(etag).not.toBe("");
    const again = await get("/routines/rtn_1", { "if-none-match": etag });
    expect({ status: again.status, body: await again.text() }).toEqual({ status: 304, body: "" });
    expect(again.headers.get("etag")).toBe(etag);
    expect(again.headers.get("content-security-policy")).toContain("script-src 'self'");
    expect((await get("/", { "if-none-match": '"another"' })).status).toBe(200);
  });

  it("says what to do when it is not built", async () => {
    const none = { fetch: async () => new Response(null, { status: 404 }) };
    const request = new Request("http://reveille.test/");
    const answer = await app.fetch(request, { ...env, ASSETS: none }, createExecutionContext());
    const error = await errorOf(answer);
    expect(error).toMatchObject({ status: 404, type: "not_found_error" });
    expect(error.hint).toContain("npm run build:web");
  });
});

describe("an address that nothing has", () => {
  const BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

  it.each(["/routine", "/wp-login.php", "/index.html", "/docs/", "/runs.html"])(
    "is the page for a browser at %s, as not found",
    async (path) => {
      const page = await get(path, { accept: BROWSER, "if-none-match": (await get("/")).headers.get("etag") ?? "" });
      expect(page.status).toBe(404);
      expect(page.headers.get("content-type")).toMatch(/^text\/html/);
      expect(page.headers.get("content-security-policy")).toContain("script-src 'self'");
      expect(await page.text()).toContain(`src="${SCRIPT}"`);
    },
  );

  it.each([
    "/api/v1/nothing",
    "/api",
    "/v1/claude_code/nothing",
    "/webhooks/nothing",
    "/assets/app.js",
    "/proxy/run_1",
  ])("is told in JSON at %s, whoever asks", async (path) => {
    const answer = await get(path, { accept: BROWSER });
    expect((await errorOf(answer)).type).toMatch(/^(?:not_found|authentication)_error$/);
  });

  it("is told in JSON to a program, and to whoever writes", async () => {
    for (const accept of ["application/json", "*/*"]) {
      expect(await errorOf(await get("/routine", { accept }))).toMatchObject({ status: 404 });
    }
    const written = await ask("/routine", { method: "POST", body: {}, token: null, headers: { accept: BROWSER } });
    expect(await errorOf(written)).toMatchObject({ status: 404 });
  });
});

describe.each([
  ["/manifest.webmanifest", "application/manifest+json"],
  ["/icon.svg", "image/svg+xml"],
])("the file %s", (path, type) => {
  it("has its type, and is asked for each time", async () => {
    const file = await get(path);
    expect(file.status).toBe(200);
    expect(file.headers.get("content-type")).toContain(type);
    expect(file.headers.get("cache-control")).toBe("no-cache");
    expect((await get(path, { "if-none-match": file.headers.get("etag") ?? "" })).status).toBe(304);
  });
});

describe("a file of the page", () => {
  it.each([
    [SCRIPT, "text/javascript"],
    ["/assets/app-4f2a.css", "text/css"],
    ["/assets/sans-4f2a.woff2", "font/woff2"],
  ])("%s is kept for good, as %s", async (path, type) => {
    const file = await get(path);
    expect(file.status).toBe(200);
    expect(file.headers.get("content-type")).toContain(type);
    expect(file.headers.get("cache-control")).toBe("public, max-age=31536000, immutable");
    expect(file.headers.get("x-content-type-options")).toBe("nosniff");
    expect(file.headers.get("content-security-policy")).toBe(
      "default-src 'none'; script-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    );
    expect((await file.arrayBuffer()).byteLength).toBeGreaterThan(0);
    const again = await get(path, { "if-none-match": file.headers.get("etag") ?? "" });
    expect({ status: again.status, body: await again.text() }).toEqual({ status: 304, body: "" });
    expect(again.headers.get("cache-control")).toContain("immutable");
  });
});

describe.each(["/", SCRIPT])("%s", (path) => {
  it("answers HEAD as GET without a body", async () => {
    const [head, whole] = await Promise.all([ask(path, { method: "HEAD", token: null }), get(path)]);
    expect({ status: head.status, body: await head.text() }).toEqual({ status: 200, body: "" });
    for (const name of ["content-type", "cache-control", "etag", "content-security-policy"]) {
      expect(head.headers.get(name)).toBe(whole.headers.get(name));
    }
  });

  it("answers to nothing that writes", async () => {
    const refused = await errorOf(await ask(path, { method: "POST", body: {}, token: null }));
    expect(refused).toMatchObject({ status: 404, type: "not_found_error" });
  });
});

it.each([
  "/index.html",
  "/index",
  "/assets",
  "/assets/",
  "/assets/app.js",
  "/assets/app-4f2a.js/",
  "/assets/..%2findex.html",
  "/assets/%2e%2e/index.html",
  "/assets//app-4f2a.js",
  "/assets/..%5c..%5cwrangler.toml",
  "/assets/%00",
  "/assets/%ff",
  "//assets/app-4f2a.js",
  "/wrangler.toml",
  "/favicon.ico",
])("%s is not there, and is answered as by the API", async (path) => {
  const answer = await get(path);
  expect(answer.headers.get("cache-control")).toBe("no-store");
  expect(await errorOf(answer)).toMatchObject({ status: 404, type: "not_found_error" });
});
