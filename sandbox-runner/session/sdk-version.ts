/** Which version of the agent's program this runner has: conversations are written in its own form. */
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";

const packageSchema = z.object({ version: z.string().min(1).max(64) });

export const SDK_VERSION: string = packageSchema.parse(
  JSON.parse(
    readFileSync(
      join(dirname(fileURLToPath(import.meta.resolve("@anthropic-ai/claude-agent-sdk"))), "package.json"),
      "utf8",
    ),
  ),
).version;
