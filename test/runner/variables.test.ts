/** The variables of an environment through the real thing: who finds them, and which names stay the runner's. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { RunOrder } from "#protocol/runner-link.ts";
import { Bed, bash, noSandbox } from "./support/bed.ts";
import { ENVIRONMENT } from "./support/run-order.ts";
import { seedUpstream } from "./support/upstream.ts";

const HOOK = { type: "command", command: 'printf "%s" "$GREETING" > ~/hooked' };

let bed: Bed;
beforeAll(async () => {
  if (noSandbox !== null) return;
  bed = await Bed.make();
  const settings = JSON.stringify({ hooks: { SessionStart: [{ hooks: [HOOK] }] } });
  seedUpstream(bed.upstream, "app", { "README.md": "# App\n", ".claude/settings.json": settings });
});
afterAll(() => bed?.close());

function withVariables(variables: Record<string, string>): Partial<RunOrder> {
  return { environment: { ...ENVIRONMENT, variables } };
}

describe.skipIf(noSandbox !== null)("variables", { concurrent: true }, () => {
  it("reach the agent's commands and hooks as they are, and no command line; long ones too", async () => {
    const greeting = `it's "$HOME" \\ \`id\`\n% ; ü ${"x".repeat(100_000)}`;
    const look = [
      'printf "%s" "$GREETING" | sha256sum; sha256sum < ~/hooked; echo "$SECOND,$EMPTY,"',
      "tr '\\0' '\\n' </proc/$PPID/cmdline | grep -c UNSEEN",
    ];
    const variables = { GREETING: greeting, SECOND: "UNSEEN", EMPTY: "" };
    const run = bed.run([bash(look.join("; ")), "Done."], ["app"], withVariables(variables));
    const { text } = await run.event("tool.result");
    const digest = Buffer.from(await crypto.subtle.digest("SHA-256", Buffer.from(greeting))).toString("hex");
    expect(text.split("\n").map((line) => line.trim())).toEqual([`${digest}  -`, `${digest}  -`, "UNSEEN,,", "0"]);
    expect((await run.finished()).outcome).toEqual({ status: "succeeded" });
  });

  it("of names that are the runner's are left out, whoever ordered them", async () => {
    const names = ["LD_PRELOAD", "LD_LIBRARY_PATH", "GIT_SSH_COMMAND", "GIT_CONFIG_COUNT", "ANTHROPIC_BASE_URL"];
    const others = [
      "NODE_OPTIONS",
      "BUN_OPTIONS",
      "PATH",
      "HOME",
      "BASH_ENV",
      "ENV",
      "IFS",
      "OPTIND",
      "CLAUDE_CONFIG_DIR",
      "SHELLOPTS",
    ];
    const all = [...names, ...others, "https_proxy", "GLIBC_TUNABLES", "TMPDIR", "REVEILLE_RUN_ID"];
    const wrong = Object.fromEntries(all.map((name) => [name, "/nonexistent/wrong"]));
    const look = "env | grep -c nonexistent; git ls-remote origin main | wc -l; echo $RIGHT";
    const run = bed.run([bash(look), "Done."], ["app"], withVariables({ ...wrong, RIGHT: "right" }));
    expect((await run.event("tool.result")).text).toBe("0\n1\nright");
    expect((await run.finished()).outcome).toEqual({ status: "succeeded" });
  });
});
