/** Setup scripts through the real thing, beyond `setup-script.test.ts`: how they end, what is left of them, and what later runs have of it. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { AttemptEnvironment } from "#protocol/environment.ts";
import type { RunOrder } from "#protocol/runner-link.ts";
import { Bed, bash, endless, noSandbox } from "./support/bed.ts";
import type { FakeRun } from "./support/fake-run.ts";
import { processesWith } from "./support/processes.ts";
import { environmentWith } from "./support/run-order.ts";
import { until } from "./support/until.ts";
import { seedUpstream } from "./support/upstream.ts";

let bed: Bed;
beforeAll(async () => {
  if (noSandbox !== null) return;
  bed = await Bed.make({ REVEILLE_CAPACITY: "16" });
  seedUpstream(bed.upstream, "app", { "README.md": "# App\n" });
});
afterAll(() => bed?.close());

const withSetup = (script: string, changes?: Partial<AttemptEnvironment>): Partial<RunOrder> => ({
  environment: environmentWith(script, changes),
});

function written({ events }: FakeRun): string {
  return events.flatMap((event) => (event.type === "setup.output" ? [event.text] : [])).join("");
}

describe.skipIf(noSandbox !== null)("a setup script", { concurrent: true }, () => {
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

describe.skipIf(noSandbox !== null)("what a setup script has made", () => {
  const steps = ({ events }: FakeRun) =>
    events.flatMap((event) => (event.type === "run.step" && event.cache !== undefined ? [event.cache] : []));
  const notices = ({ events }: FakeRun) => events.flatMap((event) => (event.type === "notice" ? [event.code] : []));
  const ended = async (run: FakeRun) => {
    expect((await run.finished()).outcome).toEqual({ status: "succeeded" });
    return run.events.flatMap((event) => (event.type === "tool.result" ? [event.text] : [])).join("\n");
  };
  const LOOK =
    "cat ~/made/one; readlink ~/link; stat -c '%a %h' ~/made/run; cat ~/made/one >/dev/null && echo 'echo changed >~/made/one' | bash";

  it("is there in later runs of the same key, and no run can change it", async () => {
    const script =
      "mkdir made && date +%N >made/one && ln -s made/one link && install -m 755 /dev/null made/run && ln made/run made/too";
    const order = withSetup(script);
    const first = bed.run([bash(LOOK), "Done."], ["app"], order);
    const made = await ended(first);
    expect(steps(first)).toEqual(["miss"]);
    const second = bed.run([bash(LOOK), "Done."], ["app"], order);
    expect(await ended(second)).toBe(made);
    expect(steps(second)).toEqual(["hit"]);
    expect(made).toMatch(/^[0-9]+\nmade\/one\n755 2$/);
    const other = bed.run([bash(LOOK), "Done."], [], withSetup(script));
    expect(await ended(other)).not.toBe(made);
    expect(steps(other)).toEqual(["miss"]);
  });

  it("is made anew where it is damaged, with a notice", async () => {
    const order = withSetup("date +%N >made; head -c 300000 /dev/urandom >much");
    const look = [bash("cat ~/made; ls -A ~ | grep -c much"), "Done."];
    const first = await ended(bed.run(look, [], order));
    const setups = join(bed.state, "setups");
    for (const name of readdirSync(setups)) {
      const archive = join(setups, name, "archive");
      const bytes = readFileSync(archive);
      if (bytes.length < 300_000) continue;
      // The last part alone is wrong: much has been unpacked by then.
      writeFileSync(archive, bytes.fill(7, bytes.length - 2_000, bytes.length - 1_000));
    }
    const second = bed.run(look, [], order);
    const made = await ended(second);
    expect(made).not.toBe(first);
    expect([steps(second), notices(second)]).toEqual([["miss"], ["setup_cache_damaged"]]);
    const third = bed.run(look, [], order);
    expect(await ended(third)).toBe(made);
    expect(notices(third)).toEqual([]);
  });

  it("is not kept where variables hold secrets, or where the script has failed", async () => {
    const secret = withSetup('echo "$TOKEN" >made', {
      variables: { TOKEN: "hush-hush-hush" },
      secret_values: ["hush-hush-hush"],
    });
    const before = readdirSync(join(bed.state, "setups"));
    for (const run of [bed.run(["Done."], [], secret), bed.run(["Done."], [], secret)]) {
      await ended(run);
      expect(steps(run)).toEqual(["none"]);
    }
    await bed.run(["Never asked."], [], withSetup("echo made >made; exit 1")).finished();
    expect(readdirSync(join(bed.state, "setups"))).toEqual(before);
  });
});
