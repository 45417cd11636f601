/** Builds the web app for a local instance, when what it is made of has changed. */
import path from "node:path";
import { runCommand } from "#scripts/child-process.ts";
import { failed, type Outcome, succeeded } from "#scripts/outcome.ts";
import { madeOnce } from "./made-of.ts";
import { toolEnvironment } from "./tool-environment.ts";

const BUILD_DEADLINE_MS = 120_000;
/** Of `protocol` the web app takes types, which leave nothing behind. */
const SOURCES = ["web", "package-lock.json", "tsconfig.base.json"];

/**
 * @param root the project's folder.
 * @param folder gets the built files; it and the mark beside it belong to the build.
 */
export async function buildWeb(root: string, folder: string, signal: AbortSignal): Promise<Outcome<null>> {
  return await madeOnce({
    mark: `${folder}.made-of`,
    sources: SOURCES.map((name) => path.join(root, name)),
    results: [folder],
    make: async () => {
      const vite = path.join(root, "node_modules", "vite", "bin", "vite.js");
      const args = [vite, "build", path.join(root, "web"), "--outDir", folder, "--emptyOutDir"];
      const env = toolEnvironment();
      const built = await runCommand(process.execPath, args, { cwd: root, env, deadlineMs: BUILD_DEADLINE_MS, signal });
      return built.ok ? succeeded(null) : failed(`The web app could not be built: ${built.message}`);
    },
  });
}
