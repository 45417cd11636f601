/** Fails when a folder of migrations is not what its schema generates. */
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { runCommand } from "./child-process.ts";
import { toolEnvironment } from "./instance/tool-environment.ts";
import { complain } from "./terminal.ts";

const ROOT = path.dirname(import.meta.dirname);
const GENERATE_DEADLINE_MS = 60_000;

const stale: string[] = [];
for (const folder of readdirSync(path.join(ROOT, "migrations"))) {
  if (!(await isUpToDate(folder))) stale.push(`migrations/${folder}`);
}
if (stale.length > 0) {
  complain(`${stale.join(", ")}: the schema has changed. Run npm run generate, and commit what it writes.`);
  process.exitCode = 1;
}

/** Generates into a copy: what the copy has afterwards and the folder has not, is missing. */
async function isUpToDate(folder: string): Promise<boolean> {
  const original = path.join(ROOT, "migrations", folder);
  // Inside the project, because drizzle-kit takes its output folder relative to it.
  const copy = mkdtempSync(path.join(ROOT, "node_modules", ".migrations-"));
  try {
    cpSync(original, copy, { recursive: true });
    const config = path.join(copy, "drizzle.config.ts");
    const source = readFileSync(path.join(ROOT, `drizzle.${folder}.config.ts`), "utf8");
    writeFileSync(config, source.replace(`./migrations/${folder}`, path.relative(ROOT, copy)));
    const before = readdirSync(copy).length;
    const drizzleKit = path.join(ROOT, "node_modules", "drizzle-kit", "bin.cjs");
    const generated = await runCommand(process.execPath, [drizzleKit, "generate", `--config=${config}`], {
      cwd: ROOT,
      env: toolEnvironment(),
      deadlineMs: GENERATE_DEADLINE_MS,
    });
    if (!generated.ok) complain(generated.message);
    // A rename would need an answer: drizzle-kit then says so, writes nothing, and ends with 0.
    return generated.ok && generated.stdout.includes("No schema changes") && readdirSync(copy).length === before;
  } finally {
    rmSync(copy, { recursive: true });
  }
}
