/** Setup scripts through the real thing: what they see, what they say, how they end, and what is left of them. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { DEFAULT_ENVIRONMENT_ID } from "#protocol/environment.ts";
import type { RunOrder } from "#protocol/runner-link.ts";
import { Bed, bash, endless, noSandbox } from "./support/bed.ts";
import type { FakeRun } from "./support/fake-run.ts";
import { processesWith } from "./support/processes.ts";
import { until } from "./support/until.ts";
import { seedUpstream } from "./support/upstream.ts";

let bed: Bed;
beforeAll(async () => {
  if (noSandbox !== null) return;
  bed = await Bed.make({ REVEILLE_CAPACITY: "16" });
  seedUpstream(bed.upstream, "app", { "README.md": "# App\n" });
});
afterAll(() => bed?.close());

function withSetup(script: string, changes: Partial<NonNullable<RunOrder["environment"]>> = {}): Partial<RunOrder> {
  return {
    environment: {
      id: DEFAULT_ENVIRONMENT_ID,
      name: "default",
      revision: 1,
      network: { level: "none", allow: [] },
      variables: {},
      secret_values: [],
      setup: { script, cache_key: crypto.randomUUID() },
      ...changes,
    },
  };
}

function written({ events }: FakeRun): string {
  return events.flatMap((event) => (event.type === "setup.output" ? [event.text] : [])).join("");
}

describe.skipIf(noSandbox !== null)("a setup script", { concurrent: true }, () => {
  it("runs before the clone, with the environment's variables and without the run's token; its home is the agent's", async () => {
    const script = [
      'pwd; echo "$GREETING"; ls -A .. "$TMPDIR/../workspace"; env',
      'cat "$TMPDIR"/../git/config "$TMPDIR"/../launch/commands/* "$TMPDIR"/../launch/*.sh',
      'mkdir -p .local/bin; printf "#!/bin/sh\\necho called\\n" > .local/bin/called; chmod +x .local/bin/called; echo made > made; echo lost > "$TMPDIR/../workspace/app"; echo lost > "$TMPDIR/lost"; ln -s /etc "$TMPDIR/link"',
    ];
    const look = 'cat ~/made; called; pwd; ls "$TMPDIR"; echo $HOME; getent passwd "$(id -u)" | cut -d: -f6';
    const order = withSetup(script.join("\r\n"), { variables: { GREETING: "hello 'there'" } });
    const run = bed.run([bash(look), "Done."], ["app"], order);
    expect((await run.finished()).outcome).toEqual({ status: "succeeded" });
    const said = written(run);
    expect(said).toMatch(/^\/home\/sandbox\nhello 'there'\n/);
    for (const absent of [run.proxyToken, run.linkToken, "ANTHROPIC", "[redacted]", "README"]) {
      expect(said).not.toContain(absent);
    }
    const { text } = await run.event("tool.result");
    expect(text).toMatch(/^made\ncalled\n\/\S+\/workspace\/app\n(?:c\S+\n)*\/home\/sandbox\n\/home\/sandbox$/);
    const steps = run.events.flatMap((event) =>
      event.type === "run.step" ? [`${event.phase}: ${event.message}`] : [],
    );
    expect(steps.slice(0, 3)).toEqual([
      "setup: Running the environment's setup script",
      expect.stringMatching(/^setup: The setup script has ended after [0-9.]+ s$/),
      "clone: Cloning https://code.example.com/app",
    ]);
  });

  it("fails its run with its exit code and its last words", async () => {
    const script = "#!/usr/bin/env python3\nimport sys\nprint('much')\nsys.exit('from python')";
    const run = bed.run(["Never asked."], ["app"], withSetup(script));
    const { outcome } = await run.finished();
    expect(outcome).toMatchObject({ status: "failed", error: { code: "setup_failed", phase: "setup" } });
    expect(outcome).toHaveProperty("error.message", expect.stringMatching(/exit code 1: much from python$/));
    expect(run.events.some(({ type }) => type.startsWith("agent."))).toBe(false);
  });

  it("goes on after a failed command, and what it has left in the background ends with it", async () => {
    const name = `left-${crypto.randomUUID()}`;
    const script = `false\n(${endless(name)}) &\nsetsid --fork bash -c 'trap "" HUP TERM; ${endless(name)}'\necho done > file`;
    const run = bed.run([bash("cat ~/file"), "Done."], [], withSetup(script));
    const { text } = await run.event("tool.result");
    expect(text).toBe("done");
    expect(processesWith(name)).toEqual([]);
    await run.finished();
  });

  it("is stopped at its deadline, with all that it has started", async () => {
    const name = `late-${crypto.randomUUID()}`;
    const script = `echo begun\nsetsid --fork bash -c '${endless(name)}'\n${endless(name)}`;
    const run = bed.run(["Never asked."], [], { ...withSetup(script), setup_deadline_ms: 3_000 });
    const { outcome } = await run.finished();
    expect(outcome).toMatchObject({ status: "failed", error: { code: "setup_timed_out", phase: "setup" } });
    expect(written(run)).toBe("begun\n");
    expect(processesWith(name)).toEqual([]);
  });

  it("ends when its run is canceled", async () => {
    const name = `canceled-${crypto.randomUUID()}`;
    const run = bed.run(["Never asked."], [], withSetup(`trap "" TERM INT HUP\n${endless(name)}`));
    await until("the script is on", () => processesWith(name).length > 0);
    run.cancel();
    expect((await run.finished()).outcome).toEqual({ status: "canceled" });
    expect(processesWith(name)).toEqual([]);
  });
});
