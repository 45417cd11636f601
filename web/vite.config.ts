/** How the web app is built, and served while it is worked on. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import react from "@vitejs/plugin-react";
import { defineConfig, type HtmlTagDescriptor, minifySync, type Plugin } from "vite";

/** The running instance that the development server hands requests for data to. */
const INSTANCE = process.env["REVEILLE_URL"] ?? "http://localhost:8787";
/** What an instance answers itself; the rest are pages. */
const INSTANCE_PATHS = ["/api", "/v1", "/docs", "/openapi.json", "/healthz"];

/** Pages that share a module make it one of all pages, in one file: many small files compress badly. */
const SHARED_BY = 6;
/** By however many pages it is used: what is loaded when first wanted, what reads Markdown or code, and what makes up forms and lists. */
const OF_ITS_OWN =
  /@base-ui|@floating-ui|micromark|mdast|unist|src\/(?:connectors|editor|secrets|session\/text\/code)\/|run-filters|paged-list|choices/;

const proxy = Object.fromEntries(
  INSTANCE_PATHS.map((path) => [path, { target: INSTANCE, ws: true, configure: sendOwnOrigin }]),
);

export default defineConfig({
  root: import.meta.dirname,
  plugins: [react(), head()],
  // What it stands in for is part of React by now.
  resolve: { alias: [{ find: /^use-sync-external-store\/shim(?:\/index\.js)?$/, replacement: "react" }] },
  build: {
    outDir: "../dist/web",
    emptyOutDir: true,
    target: ["chrome123", "firefox121", "safari17.5"],
    // Nothing inline: the pages' policy allows nothing that is not a file of this origin.
    assetsInlineLimit: 0,
    // One small file: rules keep their order whichever page comes first, and no page waits for its own.
    cssCodeSplit: false,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      output: {
        codeSplitting: { groups: [{ name: "shared", minShareCount: SHARED_BY, test: (id) => !OF_ITS_OWN.test(id) }] },
      },
    },
  },
  // A worker loads of what it can read no more than it is asked for.
  worker: { format: "es" },
  server: { proxy },
  preview: { proxy },
});

interface ProxyRequest {
  getHeader(name: string): unknown;
  setHeader(name: string, value: string): void;
}

/** An instance accepts writes and upgrades from its own origin alone. */
function sendOwnOrigin(server: { on(event: never, listener: (request: ProxyRequest) => void): unknown }): void {
  const rewrite = (request: ProxyRequest) => {
    if (request.getHeader("origin") !== undefined) request.setHeader("origin", INSTANCE);
  };
  server.on("proxyReq" as never, rewrite);
  server.on("proxyReqWs" as never, rewrite);
}

/**
 * Puts into the head what has to come first: the script that sets the theme before anything is painted and tells what does
 * not come, a file of its own that blocks, and the font of the first words.
 */
function head(): Plugin {
  const script = join(import.meta.dirname, "src/shell/early.js");
  return {
    name: "head",
    buildStart() {
      if (this.meta.watchMode) return;
      this.emitFile({ type: "asset", name: "early.js", source: minifySync(script, readFileSync(script, "utf8")).code });
    },
    transformIndexHtml: {
      order: "post",
      handler(_html, { bundle }) {
        const files = Object.keys(bundle ?? {});
        const early = files.find((file) => /early-.*\.js$/.test(file)) ?? "src/shell/early.js";
        const font = files.find((file) => /inter-latin-.*\.woff2$/.test(file));
        return [
          { tag: "script", attrs: { src: `/${early}` }, injectTo: "head-prepend" },
          ...(font === undefined ? [] : [fontPreload(`/${font}`)]),
        ];
      },
    },
  };
}

function fontPreload(href: string): HtmlTagDescriptor {
  const attrs = { rel: "preload", as: "font", type: "font/woff2", crossorigin: true, href };
  return { tag: "link", attrs, injectTo: "head" };
}
