/** A setup script through the real thing: what it sees, and what its run has of it. More of them are in `setup-script.e2e.ts`. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Bed, bash, noSandbox } from "./support/bed.ts";
import { environmentWith } from "./support/run-order.ts";
import { seedUpstream } from "./support/upstream.ts";

let bed: Bed;
beforeAll(async () => {
  if (noSandbox !== null) return;
  bed = await Bed.make();
  seedUpstream(bed.upstream, "app", { "README.md": "# App\n" });
});
afterAll(() => bed?.close());

describe.skipIf(noSandbox !== null)("a setup script", () => {
  it("runs before the clone, with the environment's variables and without the run's token; its home is the agent's", async () => {
    const script = [
      'pwd; echo "$GREETING"; ls -A .. "$TMPDIR/../workspace"; env',
      'cat "$TMPDIR"/../git/config "$TMPDIR"/../launch/commands/* "$TMPDIR"/../launch/*.sh',
      'mkdir -p .local/bin; printf "#!/bin/sh\\necho called\\n" > .local/bin/called; chmod +x .local/bin/called; echo made > made; echo lost > "$TMPDIR/../workspace/app"; echo lost > "$TMPDIR/lost"; ln -s /etc "$TMPDIR/link"',
    ];
    const look = 'cat ~/made; called; pwd; ls "$TMPDIR"; echo $HOME; getent passwd "$(id -u)" | cut -d: -f6';
    const environment = environmentWith(script.join("\r\n"), { variables: { GREETING: "hello 'there'" } });
    const run = bed.run([bash(look), "Done."], ["app"], { environment });
    expect((await run.finished()).outcome).toEqual({ status: "succeeded" });
    const said = run.events.flatMap((event) => (event.type === "setup.output" ? [event.text] : [])).join("");
    expect(said).toMatch(/^\/home\/sandbox\nhello 'there'\n/);
    for (const absent of [run.proxyToken, run.linkToken, "ANTHROPIC", "[redacted]", "README"]) {
      expect(said).not.toContain(absent);
    }
    const { text } = await run.event("tool.result");
    expect(text).toMatch(/^made\ncalled\n\/\S+\/workspace\/app\n(?:c\S+\n)*\/home\/sandbox\n\/home\/sandbox$/);
    const steps = run.events.flatMap((event) =>
      event.type === "run.step" ? [`${event.phase}: ${event.message}`] : [],
    );
    expect(steps.slice(0, 4)).toEqual([
      "setup: Running the environment's setup script",
      expect.stringMatching(/^setup: The setup script has ended after [0-9.]+ s$/),
      expect.stringMatching(/^setup: Its result is kept for 7 days: /),
      "clone: Cloning https://code.example.com/app",
    ]);
  });
});
