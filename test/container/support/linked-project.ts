/** The project as it is, in another folder, with another configuration and entry of the worker. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

const ROOT = path.resolve(import.meta.dirname, "../../..");

/** Our worker whose containers are all asked for twice at once, and which tells how often its objects were made. */
const ENTRY = `
import worker, { RoutineObject as Routine, SandboxObject as Sandbox } from "./worker/index.ts";
export * from "./worker/index.ts";
const made = { routine: 0, sandbox: 0 };
export class RoutineObject extends Routine {
  constructor(context, env) {
    super(context, env);
    made.routine += 1;
  }
}
export class SandboxObject extends Sandbox {
  constructor(context, env) {
    super(context, env);
    made.sandbox += 1;
  }
  async begin(...order) {
    const [answer] = await Promise.all([super.begin(...order), super.begin(...order)]);
    return answer;
  }
}
export default {
  ...worker,
  fetch(request, env, context) {
    return new URL(request.url).pathname === "/made" ? Response.json(made) : worker.fetch(request, env, context);
  },
};`;

/** The scheduling policy that Cloudflare's containers have had before: one image, which the configuration names. */
const DEFAULT_POLICY = `[[containers]]
class_name = "SandboxObject"
image = "${path.join(ROOT, "sandbox-runner/Dockerfile")}"
max_instances = 3
`;

/** @returns its folder, and how to remove it. */
export function linkProject(): { root: string; remove: () => void } {
  const root = mkdtempSync(path.join(tmpdir(), "rvl-linked-"));
  for (const name of readdirSync(ROOT)) {
    if (!name.startsWith(".") && name !== "wrangler.toml") symlinkSync(path.join(ROOT, name), path.join(root, name));
  }
  const configuration = readFileSync(path.join(ROOT, "wrangler.toml"), "utf8");
  const containers = /^\[\[containers\]\]\n(?:.+\n)*(?:\n\[containers\..+\]\n(?:.+\n)*)?/m;
  const changed = configuration
    .replace('main = "worker/index.ts"', 'main = "index.js"')
    .replace(containers, () => DEFAULT_POLICY);
  writeFileSync(path.join(root, "wrangler.toml"), changed);
  writeFileSync(path.join(root, "index.js"), ENTRY);
  return { root, remove: () => rmSync(root, { recursive: true, force: true }) };
}
