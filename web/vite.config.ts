/** How the web app is built, and served while it is worked on. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import react from "@vitejs/plugin-react";
import { defineConfig, type Plugin } from "vite";

/** The running instance that the development server hands requests for data to. */
const INSTANCE = process.env["REVEILLE_URL"] ?? "http://localhost:8787";
/** What an instance answers itself; the rest are pages. */
const INSTANCE_PATHS = ["/api", "/v1", "/docs", "/openapi.json", "/healthz"];

const proxy = Object.fromEntries(
  INSTANCE_PATHS.map((path) => [path, { target: INSTANCE, ws: true, configure: sendOwnOrigin }]),
);

export default defineConfig({
  root: import.meta.dirname,
  plugins: [react(), earlyTheme()],
  build: {
    outDir: "../dist/web",
    emptyOutDir: true,
    target: ["chrome123", "firefox121", "safari17.5"],
    // Nothing inline: the pages' policy allows nothing that is not a file of this origin.
    assetsInlineLimit: 0,
    // One small file: rules keep their order whichever page comes first, and no page waits for its own.
    cssCodeSplit: false,
    modulePreload: { polyfill: false },
  },
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

/** Puts the script that sets the theme before anything is painted into the head: a file of its own, which blocks. */
function earlyTheme(): Plugin {
  const file = join(import.meta.dirname, "src/shell/early-theme.js");
  let address = "/src/shell/early-theme.js";
  return {
    name: "early-theme",
    buildStart() {
      if (this.meta.watchMode) return;
      this.emitFile({ type: "asset", name: "early-theme.js", source: readFileSync(file, "utf8") });
    },
    transformIndexHtml: {
      order: "post",
      handler(_html, { bundle }) {
        const built = Object.values(bundle ?? {}).find(
          (output) => output.type === "asset" && output.names.includes("early-theme.js"),
        );
        if (built !== undefined) address = `/${built.fileName}`;
        return [{ tag: "script", attrs: { src: address }, injectTo: "head-prepend" }];
      },
    },
  };
}
