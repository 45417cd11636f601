/** The pages: `/` signs a browser in and shows routines and recent runs, `/sessions/{id}` shows a transcript. */
import type { App } from "../http-env.ts";
import { HOME_PAGE } from "../pages/home-page.ts";
import { HOME_SCRIPT } from "../pages/home-script.ts";
import { SESSION_PAGE } from "../pages/session-page.ts";
import { SESSION_SCRIPT } from "../pages/session-script.ts";
import { STYLE } from "../pages/style.ts";
import { PAGE_POLICY } from "../security-headers.ts";

export function mountPages(app: App): void {
  app.get("/", () => answer(HOME_PAGE, "text/html"));
  app.get("/home.js", () => answer(HOME_SCRIPT, "text/javascript"));
  app.get("/sessions/:id", () => answer(SESSION_PAGE, "text/html"));
  app.get("/session.js", () => answer(SESSION_SCRIPT, "text/javascript"));
  app.get("/style.css", () => answer(STYLE, "text/css"));
}

function answer(text: string, type: string): Response {
  return new Response(text, {
    headers: { "content-type": `${type}; charset=utf-8`, "content-security-policy": PAGE_POLICY },
  });
}
