/** `reveille runner --engine podman`: what a run in its container reaches, and what is told of it. See docs/network.md. */
import assert from "node:assert/strict";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before } from "node:test";
import { networkSchema } from "#protocol/environment.ts";
import { noPodman } from "#test/cli/support/podman.ts";
import { Bed, bash, report } from "#test/runner/support/bed.ts";
import { RUNNER_TOKEN } from "#test/runner/support/fake-instance.ts";
import type { FakeRun } from "#test/runner/support/fake-run.ts";
import { Internet } from "#test/runner/support/internet.ts";
import { environmentWith } from "#test/runner/support/run-order.ts";
import { spawnProgram, whenReady } from "#test/runner/support/runner-process.ts";
import { seedUpstream } from "#test/runner/support/upstream.ts";
import { OWN_RUN, POLICIES, POLICY_ROWS, type PolicyName, type PolicyRow } from "#test/support/policy-rows.ts";
import { containerTest, NO_ENGINE } from "./support/engine.ts";
import { runnerImage } from "./support/images.ts";
import { inContainer, outcomesIn } from "./support/program.ts";

const ROOT = path.resolve(import.meta.dirname, "../..");
const LONG_MS = 120_000;
const DONE = report("done", "It is done.");

let internet: Internet;
let bed: Bed;
before(async () => {
  if (NO_ENGINE !== null || noPodman !== null) return;
  internet = await Internet.start(["nodejs.org"], (url, response) => response.end(`from ${url.hostname}`));
  const image = await runnerImage();
  bed = await Bed.make({}, { start: (variables) => start(variables, image) });
  seedUpstream(bed.upstream, "one", { "notes.md": "one\n" });
});
after(async () => {
  await bed?.close();
  internet?.close();
});

function start({ REVEILLE_URL = "", REVEILLE_STATE = "" }: Record<string, string>, image: string) {
  const given = ["--url", REVEILLE_URL, "--state", REVEILLE_STATE, "--token", RUNNER_TOKEN, "--capacity", "5"];
  const words = ["cli/reveille.mjs", "runner", ...given, "--engine", "podman", "--image", image];
  const engines = Object.entries(process.env).filter(([name]) => name.startsWith("CONTAINERS_"));
  const environment = {
    HOME: tmpdir(),
    ...internet.variables,
    ...(Object.fromEntries(engines) as Record<string, string>),
  };
  return whenReady(spawnProgram([process.execPath, ...words], environment, { cwd: ROOT }), "Serving ");
}

/** A run whose agent says what the script says, under a policy. */
function begin(command: string, policy: Partial<(typeof POLICIES)[PolicyName]>): FakeRun {
  const environment = environmentWith("", { network: networkSchema.parse(policy), setup: null });
  return bed.run([bash(command), DONE], ["one"], { environment });
}

async function printed(run: FakeRun): Promise<string> {
  const { outcome } = await run.finished(LONG_MS);
  assert.deepEqual(outcome, { status: "succeeded" });
  const [result] = run.events.flatMap((event) => (event.type === "tool.result" ? [event.text] : []));
  return result ?? "";
}

for (const policy of Object.keys(POLICIES) as PolicyName[]) {
  containerTest(`a run in podman's container reaches what the policy "${policy}" says, and no more`, async () => {
    const rows = POLICY_ROWS.filter((row) => row.policy === policy).map(asWritten);
    const given = JSON.stringify(rows.map(({ ask, isUpgrade }) => ({ ask, isUpgrade })));
    const run = begin(inContainer("ask-hosts.mjs", given), POLICIES[policy]);
    const found = outcomesIn(await printed(run));
    const named = ({ ask, isUpgrade }: PolicyRow) => `${isUpgrade ? "upgrade " : ""}${ask}`;
    assert.deepEqual(
      rows.map((row) => [named(row), verdictOf(found[named(row)] ?? "")]),
      rows.map((row) => [named(row), row.verdict]),
    );
    const { hosts = [] } = run.ending?.seen ?? {};
    const counted = (isAllowed: boolean) =>
      hosts.filter(({ allowed }) => allowed === isAllowed).map(({ host }) => host);
    assert.deepEqual(counted(true).sort(), hostsOf(rows, "internet"));
    const notices = run.events.flatMap((event) => (event.type === "notice" ? [`${event.code} ${event.message}`] : []));
    assert.deepEqual(notices, [...new Set(notices)]);
    // What is no name of a host is counted among all others.
    for (const host of counted(false).filter((name) => name !== "*"))
      assert.ok(
        notices.some((notice) => notice.includes(host)),
        host,
      );
  });
}

containerTest("what such a run asks for is counted and told, and its way out is the relay alone", async () => {
  const script = [
    "curl -s http://www.acme.dev/; curl -sk https://www.acme.dev/; curl -s https://dead.acme.dev/",
    "for n in 1 2; do curl -s http://evil.com/; curl -s http://private.acme.dev/; curl -s https://private.acme.dev/; done",
    "for name in hosts instance; do curl -sS --unix-socket /run/reveille/$name.sock http://www.acme.dev/; done 2>&1",
  ];
  const run = begin(script.join("; "), { level: "custom", allow: ["*.acme.dev"] });
  const text = await printed(run);
  assert.equal(text.match(/from www\.acme\.dev/g)?.length, 2, text);
  assert.match(text, /does not allow evil\.com/);
  assert.match(text, /private\.acme\.dev leads to no public address/);
  assert.equal(text.match(/curl: \(7\)/g)?.length, 2, text);
  const rows = (run.ending?.seen.hosts ?? []).sort((one, other) => one.host.localeCompare(other.host));
  assert.deepEqual(
    rows.map(({ host, allowed, requests }) => [host, allowed, requests]),
    [
      ["dead.acme.dev", true, 1],
      ["evil.com", false, 2],
      ["private.acme.dev", false, 4],
      ["www.acme.dev", true, 2],
    ],
  );
  const [, evil, denied, www] = rows;
  assert.deepEqual([evil?.bytes_sent, evil?.bytes_received, denied?.bytes_sent, denied?.bytes_received], [0, 0, 0, 0]);
  // A request, and a handshake of TLS with a certificate.
  assert.ok((www?.bytes_sent ?? 0) > 500 && (www?.bytes_received ?? 0) > 500, JSON.stringify(www));
  const told = run.events.flatMap((event) => (event.type === "notice" ? [event.message] : []));
  assert.deepEqual(told.sort(), [
    "The network policy of this run does not allow evil.com.",
    "private.acme.dev leads to no public address.",
  ]);
});

/** Names of other scripts go over the wire as DNS has them; which run it is, the program finds out. */
function asWritten(row: PolicyRow): PolicyRow {
  const ask = /^[!-~]*$/.test(row.ask) ? row.ask : (URL.parse(row.ask)?.href ?? row.ask);
  return { ...row, ask: ask.replaceAll(OWN_RUN, "OWN_RUN") };
}

function hostsOf(rows: readonly PolicyRow[], verdict: PolicyRow["verdict"]): string[] {
  const all = rows.filter((row) => row.verdict === verdict).map(({ ask }) => new URL(ask).hostname);
  return [...new Set(all)].sort();
}

function verdictOf(outcome: string): string {
  const reason = /^HTTP\/1\.1 403 Forbidden(?: by the network policy)? (\S+)$/.exec(outcome)?.[1];
  if (reason !== undefined) return reason;
  if (/^HTTP\/1\.1 401 /.test(outcome)) return "proxy";
  return /^HTTP\/1\.1 (?:200 OK|101 Switching Protocols)$/.test(outcome) ? "internet" : outcome;
}
