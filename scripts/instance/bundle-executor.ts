/** A program: bundles the executor into the folder that it is told, as `execute-run.js`. */
import path from "node:path";
import { build } from "vite";

const root = path.resolve(import.meta.dirname, "..", "..");
const [folder = ""] = process.argv.slice(2);

await build({
  root,
  configFile: false,
  logLevel: "warn",
  publicDir: false,
  // These two look for programs beside their own files.
  ssr: { noExternal: true, external: ["@anthropic-ai/claude-agent-sdk", "@anthropic-ai/sandbox-runtime"] },
  build: {
    ssr: path.join(root, "sandbox-runner", "attempt", "execute-run.ts"),
    outDir: folder,
    emptyOutDir: true,
    target: "node24",
    // Traces of errors name functions as the sources do.
    minify: false,
    rolldownOptions: { output: { entryFileNames: "[name].js" } },
  },
});
