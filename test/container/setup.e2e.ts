/** A setup script in the image's runner: as whom it runs, what it sees, what is left of it, and what a later container has. */
import assert from "node:assert/strict";
import { after, before } from "node:test";
import { bash, endless, report } from "#test/runner/support/bed.ts";
import type { FakeRun } from "#test/runner/support/fake-run.ts";
import { environmentWith } from "#test/runner/support/run-order.ts";
import { BareRunners } from "./support/bare-runner.ts";
import { containerTest, NO_ENGINE } from "./support/engine.ts";

const LONG_MS = 120_000;
const DONE = report("done", "It is done.");

let runners: BareRunners;
before(async () => {
  if (NO_ENGINE === null) runners = await BareRunners.open();
});
after(async () => await runners?.close());

function said({ events }: FakeRun, type: "setup.output" | "tool.result"): string {
  return events.flatMap((event) => (event.type === type ? [event.text] : [])).join("");
}

function caches({ events }: FakeRun): string[] {
  return events.flatMap((event) => (event.type === "run.step" && event.cache !== undefined ? [event.cache] : []));
}

containerTest(
  "a script runs without rights, sees nothing of the run, and a later container has what it made",
  async () => {
    const script = [
      "grep -E '^(Uid|Groups|CapEff|NoNewPrivs):' /proc/self/status | tr -d '\t '",
      "pwd; ls -A; ls -A /var/lib/reveille/runs/*/workspace /var/lib/reveille/runs/*/git/config; env",
      "for pid in $(ps -u root -o pid=); do cat /proc/$pid/environ; done",
      `setsid --fork bash -c "trap '' TERM HUP; ${endless("left-behind")}"`,
      'mkdir -p .local/bin; printf "#!/bin/sh\necho called $(date +%N)\n" > .local/bin/tool; chmod 4755 .local/bin/tool',
      "for place in /tmp /var/tmp /dev/shm; do mkdir $place/lost; echo lost >$place/lost/one; chmod 0 $place/lost; done",
      "echo lost >/var/lib/reveille/runs/*/workspace/one; ln -s /etc/passwd link; mkfifo pipe; head -c 3000000 /dev/zero >zeros",
    ].join("\n");
    const look =
      "tool; stat -c '%a %U' ~/.local/bin/tool; readlink ~/link; wc -c <~/zeros; ps -N -u root -o args=; ls; ls /tmp /var/tmp /dev/shm";
    const order = { environment: environmentWith(script, { variables: { GREETING: "hello" } }) };
    const first = runners.begin([bash(look), DONE], {}, {}, [], order);
    assert.deepEqual((await first.run.finished(LONG_MS)).outcome, { status: "succeeded" });
    await first.ended;
    const output = said(first.run, "setup.output");
    assert.match(output, /^Uid:6[01][0-9]{3}/m);
    assert.match(output, /^CapEff:0{16}$/m);
    assert.match(output, /^NoNewPrivs:1$/m);
    assert.match(output, /^\/home\/sandbox$/m);
    assert.match(output, /^GREETING=hello$/m);
    for (const absent of [
      first.run.linkToken,
      first.run.proxyToken,
      "ANTHROPIC",
      "REVEILLE_BRIEF",
      "notes.md",
      "[redacted]",
    ]) {
      assert.ok(!output.includes(absent), `${absent} in ${output}`);
    }
    const made = said(first.run, "tool.result");
    assert.match(made, /^called [0-9]+\n[0-7]*755 agent\n\/etc\/passwd\n3000000\n/);
    assert.ok(!/left-behind|lost/.test(made), made);
    assert.deepEqual(caches(first.run), ["miss"]);
    assert.equal(runners.instance.setups.size, 1);

    const second = runners.begin([bash(look), DONE], {}, {}, [], order);
    assert.deepEqual((await second.run.finished(LONG_MS)).outcome, { status: "succeeded" });
    await second.ended;
    assert.deepEqual(caches(second.run), ["hit"]);
    assert.equal(said(second.run, "setup.output"), "");
    // The bit by which a program is another's is not kept.
    assert.match(said(second.run, "tool.result"), /^called [0-9]+\n755 agent\n\/etc\/passwd\n3000000\n/);
    assert.equal(said(second.run, "tool.result").split("\n")[0], made.split("\n")[0]);
  },
);

containerTest(
  "a script is stopped at its deadline with all that it has started, and a wrong archive is made anew",
  async () => {
    const slow = {
      environment: environmentWith(`echo begun\nsetsid --fork bash -c '${endless("late")}'\n${endless("late")}`),
    };
    const stopped = runners.begin(["Never asked."], {}, {}, [], { ...slow, setup_deadline_ms: 3_000 });
    const { outcome } = await stopped.run.finished(LONG_MS);
    assert.ok(outcome.status === "failed" && outcome.error.code === "setup_timed_out", JSON.stringify(outcome));
    assert.equal((await stopped.ended).code, 0);

    // The image has no such locale. What starts a command is none of its environment, and has nothing to say of that.
    const variables = { GREETING: "hello", LC_ALL: "xx_XX.UTF-8" };
    const order = { environment: environmentWith("#!/bin/sh\ndate +%N >made", { variables }) };
    const first = runners.begin([bash("echo $GREETING"), DONE], {}, {}, [], order);
    await first.run.finished(LONG_MS);
    assert.equal(said(first.run, "setup.output"), "");
    assert.match(said(first.run, "tool.result"), /^hello/m);
    for (const kept of runners.instance.setups.values()) kept.content = kept.content.subarray(0, -9);
    const second = runners.begin([DONE], {}, {}, [], order);
    assert.deepEqual((await second.run.finished(LONG_MS)).outcome, { status: "succeeded" });
    assert.ok(second.run.events.some((event) => event.type === "notice" && event.code === "setup_cache_damaged"));
    assert.deepEqual(caches(second.run), ["miss"]);
  },
);
