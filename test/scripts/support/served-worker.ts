/** The built worker as a local instance serves it, alone: without runner, upstream and pages. */
import path from "node:path";
import { type Program, startProgram } from "#scripts/child-process.ts";
import type { BuiltWorker } from "#scripts/instance/build-worker.ts";
import type { HostOrder } from "#scripts/instance/host-order.ts";
import { toolEnvironment } from "#scripts/instance/tool-environment.ts";
import { until } from "./until.ts";

const ROOT = path.resolve(import.meta.dirname, "../../..");
export const OWNER_TOKEN = "owner-token-of-the-tests-0123456789abcdef";

/** Serves a built worker. @returns when it answers. */
export async function serveWorker(folder: string, built: BuiltWorker, port: number): Promise<Program> {
  const order: HostOrder = {
    port,
    bundle: built.folder,
    options: built.options,
    webApp: path.join(folder, "no-web-app"),
    storage: path.join(folder, "storage"),
    migrations: path.join(ROOT, "migrations", "d1"),
    containers: null,
    variables: {
      OWNER_TOKEN,
      SIGNING_KEY: "signing-key-of-the-tests-0123456789abcdef",
      RUNNER_TOKEN: "runner-token-of-the-tests-0123456789abcdef",
      LOCAL_INSTANCE: "1",
      DEMO_MODEL_URL: "http://model.test",
    },
  };
  const lines: string[] = [];
  const host = startProgram(process.execPath, [path.join(ROOT, "scripts/instance/worker-host.ts")], {
    cwd: ROOT,
    env: toolEnvironment(),
    firstLine: JSON.stringify(order),
    onLine: (line) => lines.push(line),
  });
  await until("the worker's start", 30_000, () => lines.includes("worker ready"));
  return host;
}
