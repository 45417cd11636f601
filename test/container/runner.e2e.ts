/** The image's runner by itself: who its agent is, what is left of it, and how it ends. See docs/image.md. */
import assert from "node:assert/strict";
import { chmodSync, writeFileSync } from "node:fs";
import path from "node:path";
import { after, before } from "node:test";
import { bash, endless, report } from "#test/runner/support/bed.ts";
import type { FakeRun } from "#test/runner/support/fake-run.ts";
import { until } from "#test/scripts/support/until.ts";
import { BareRunners } from "./support/bare-runner.ts";
import { containerTest, NO_ENGINE } from "./support/engine.ts";

const LONG_MS = 120_000;
const DONE = report("done", "It is done.");
const TELL = "touch /tmp/go";
const UNTIL_TOLD = "until [ -e /tmp/go ]; do sleep 0.1; done";

let runners: BareRunners;
before(async () => {
  if (NO_ENGINE === null) runners = await BareRunners.open();
});
after(async () => await runners?.close());

/** What the agent's commands have printed. */
function printed({ events }: FakeRun): string {
  return events.flatMap((event) => (event.type === "tool.result" ? [event.text] : [])).join("\n");
}

containerTest("an agent is another user without rights, and reads nothing of the runner's", async () => {
  const look = [
    "grep -E '^(Uid|Groups|Cap...|NoNewPrivs):' /proc/self/status | tr -d '\\t '",
    "for pid in $(ps -u root -o pid=); do cat /proc/$pid/environ; done",
    "ls /var/lib/reveille/runs; touch /opt/reveille/mine; kill -9 1",
    "unshare --map-root-user id -u; ping -c 1 127.0.0.1",
    "find / -xdev -type d -writable -not -path '/proc/*' -not -path '/var/lib/reveille/*' -not -path '/home/sandbox*' -printf 'writable:%p\\n' 2>/dev/null",
  ];
  const { run, ended } = runners.begin([bash(look.join("; ")), DONE]);
  const { outcome } = await run.finished(LONG_MS);
  assert.deepEqual(outcome, { status: "succeeded" });
  assert.equal((await ended).code, 0);
  const text = printed(run);
  for (const set of ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"])
    assert.match(text, new RegExp(`^${set}:0{16}$`, "m"));
  assert.match(text, /^NoNewPrivs:1$/m);
  assert.match(text, /^Groups:$/m);
  assert.match(text, /^Uid:6[01][0-9]{3}/m);
  for (const secret of [run.linkToken, run.proxyToken, "REVEILLE_BRIEF"]) assert.ok(!text.includes(secret), secret);
  assert.equal(text.match(/Permission denied/g)?.length, 4, text);
  assert.match(text, /kill.*not permitted/i);
  // What is written elsewhere would not be counted.
  const writable = [...text.matchAll(/^writable:(.*)$/gm)].map(([, folder]) => folder);
  assert.deepEqual(writable.filter((folder) => !folder?.startsWith("/tmp/")).sort(), ["/tmp", "/var/tmp"]);
  const running = run.stored.find(({ body }) => body.kind === "running")?.body;
  assert.deepEqual(running, { kind: "running", sandbox: "container" });
  assert.ok(!run.events.some((event) => event.type === "notice"));
});

containerTest("nothing of the agent's is left when its run's last word is said", async () => {
  const leave = [
    `setsid --fork bash -c "trap '' TERM HUP; ${endless("left-behind")}"`,
    `unshare --user --map-root-user bash -c '${endless("left-inside")}' & disown`,
    "env -i setsid --fork tail -f /dev/null",
  ];
  const begun = runners.begin([bash(`${leave.join("; ")}; sleep 0.2`), bash(UNTIL_TOLD), DONE]);
  await begun.run.event("tool.call", ({ input }) => JSON.stringify(input).includes(UNTIL_TOLD), LONG_MS);
  const before = await runners.agentsProcesses(begun);
  for (const left of ["left-behind", "left-inside", "tail -f"]) {
    assert.ok(
      before.some((command) => command.includes(left)),
      before.join("\n"),
    );
  }
  // The runner waits for its last word to be stored.
  begun.run.deaf = true;
  await runners.execute(begun, TELL);
  await until("the last word", LONG_MS, async () => {
    const commands = await runners.agentsProcesses(begun);
    return commands.length === 0;
  });
  begun.run.deaf = false;
  begun.run.breakLink();
  await begun.run.finished(LONG_MS);
  assert.equal((await begun.ended).code, 0);
});

/** In place of setpriv: takes no rights away where a command's words, or the script that it is, have this in them. */
function laxSetpriv(part: string): string {
  const file = path.join(runners.folder, `setpriv-${part}`);
  const lines = [
    "#!/usr/bin/python3",
    "import ctypes, os, sys",
    "words = dict(word.split('=', 1) for word in sys.argv if word.startswith('--re'))",
    "command = sys.argv[sys.argv.index('--') + 1:]",
    "words_of_it = ' '.join(command + [open(word).read() for word in command if word.endswith('.sh')])",
    "prctl = ctypes.CDLL(None).prctl",
    `if '${part}' not in words_of_it:`,
    "    for capability in range(64): prctl(24, capability, 0, 0, 0)",
    "    prctl(38, 1, 0, 0, 0)",
    "os.setgroups([])",
    "os.setgid(int(words['--regid']))",
    "os.setuid(int(words['--reuid']))",
    "os.execvp(command[0], command)",
  ];
  writeFileSync(file, `${lines.join("\n")}\n`);
  chmodSync(file, 0o755);
  return file;
}

for (const [who, part, isCloned] of [
  ["a first command", "", false],
  ["the agent alone", "claude-agent-sdk", true],
] as const) {
  containerTest(`a run in which ${who} keeps rights fails, and says which`, async () => {
    const { run, ended } = runners.begin([DONE], {}, { "/usr/bin/setpriv": laxSetpriv(part) });
    const { outcome } = await run.finished(LONG_MS);
    assert.equal(outcome.status, "failed");
    const { code, phase, message } = outcome.error;
    assert.deepEqual({ code, phase }, { code: "agent_privileged", phase: "provisioning" });
    assert.match(message, /NoNewPrivs is 0, not 1.*CapBnd is [0-9a-f]{16}, not 0{16}/);
    const cloned = run.events.some((event) => event.type === "run.step" && event.message.startsWith("Cloned"));
    assert.equal(cloned, isCloned);
    assert.ok(!run.stored.some(({ body }) => body.kind === "running"));
    assert.equal((await ended).code, 0);
  });
}

containerTest("a second process of an attempt, which is refused, ends with 0 and does nothing", async () => {
  const first = runners.begin([DONE]);
  await first.run.finished(LONG_MS);
  first.run.end();
  const { code } = await runners.start(first.run).ended;
  assert.equal(code, 0);
});

containerTest("SIGINT stops a run at once; SIGTERM lets it go on", async () => {
  const stopped = runners.begin([bash(endless("stopped"))]);
  const goesOn = runners.begin([bash(UNTIL_TOLD), DONE]);
  for (const [begun, signal] of [
    [stopped, "SIGINT"],
    [goesOn, "SIGTERM"],
  ] as const) {
    await begun.run.event("tool.call", () => true, LONG_MS);
    await runners.signal(begun, signal);
    // A platform may ask more than once.
    if (signal === "SIGTERM") await runners.signal(begun, signal);
  }
  await runners.execute(goesOn, TELL);
  const { outcome } = await stopped.run.finished(LONG_MS);
  assert.equal(outcome.status === "failed" && outcome.error.code, "runner_lost");
  assert.deepEqual((await goesOn.run.finished(LONG_MS)).outcome, { status: "succeeded" });
  for (const { ended } of [stopped, goesOn]) assert.equal((await ended).code, 0);
});

containerTest("a run that uses more than it may is ended, and says what", async () => {
  const bounds = { processes: 200, memory_mib: 1_000, disk_mib: 100 };
  const greedy = {
    memory_exceeded: "python3 -c 'import time; held = bytearray(1200 << 20); time.sleep(60)'",
    processes_exceeded: "for n in $(seq 300); do sleep 60 & done; wait",
    disk_exceeded: "for n in 1 2 3; do head -c 60M /dev/zero >/tmp/$n; done; sleep 60",
  };
  const codes = await Promise.all(
    Object.values(greedy).map(async (command) => {
      const { outcome } = await runners.begin([bash(command)], { bounds }).run.finished(LONG_MS);
      return outcome.status === "failed" ? outcome.error.code : outcome.status;
    }),
  );
  assert.deepEqual(codes, Object.keys(greedy));
});

/** Opens as many connections to the relay as its runner could have, and then takes more of the disk than it may. */
const HOLD = `python3 -c '
import os, socket, time, urllib.parse
port = urllib.parse.urlparse(os.environ["ANTHROPIC_BASE_URL"]).port
held = [socket.create_connection(("127.0.0.1", port)) for number in range(1000)]
open("/tmp/large", "wb").write(bytes(90 << 20))
open("/tmp/larger", "wb").write(bytes(90 << 20))
time.sleep(60)
'`;

containerTest("a run that holds all connections that the runner could have is still held to its bounds", async () => {
  const bounds = { processes: 200, memory_mib: 1_000, disk_mib: 100 };
  // Without the second, this engine asks for more processes than it may give.
  const limits = ["--ulimit", "nofile=1024:1024", "--ulimit", "nproc=4096:4096"];
  const { run } = runners.begin([bash(HOLD)], { bounds }, {}, limits);
  const { outcome } = await run.finished(LONG_MS);
  assert.equal(outcome.status === "failed" && outcome.error.code, "disk_exceeded");
});

/** Starts processes until there can be no more, each in a session of its own, and again whenever one has ended. */
const FLOOD = `python3 -c '
import os, time
while True:
  try:
    if os.fork() == 0: os.setsid()
  except OSError: time.sleep(0.05)
'`;

containerTest("a run that takes all processes that the container may have is ended, and says so", async () => {
  const { run, ended } = runners.begin([bash(FLOOD)], {}, {}, ["--pids-limit", "300"]);
  const { outcome } = await run.finished(LONG_MS);
  assert.equal(outcome.status === "failed" && outcome.error.code, "processes_exceeded");
  assert.equal((await ended).code, 0);
});

containerTest("the authority of whoever opens connections is trusted by what the agent starts", async () => {
  const authority = path.join(runners.folder, "authority.crt");
  writeFileSync(authority, "-----BEGIN CERTIFICATE-----\nTUlJQnpD\n-----END CERTIFICATE-----\n");
  const look = "echo $NODE_EXTRA_CA_CERTS $GIT_SSL_CAINFO; tail -n 2 /etc/ssl/certs/ca-certificates.crt";
  const place = "/etc/cloudflare/certs/cloudflare-containers-ca.crt";
  const { run } = runners.begin([bash(look), DONE], {}, { [place]: authority });
  await run.finished(LONG_MS);
  assert.ok(printed(run).startsWith(`${place} /etc/ssl/certs/ca-certificates.crt\nTUlJQnpD\n`), printed(run));
});
