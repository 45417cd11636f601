/** What a hostile program in a run's container reaches, tried by the agent's own tool calls. See docs/security.md. */
import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { networkInterfaces } from "node:os";
import { after, before } from "node:test";
import { z } from "zod";
import { judgeProbe, PROBE_COMMAND } from "#cli/doctor/probe-command.ts";
import { Bed } from "./support/bed.ts";
import { containerTest, NO_ENGINE } from "./support/engine.ts";
import { inContainer, outcomesIn } from "./support/program.ts";

const OTHER_RUN = "run_0ABCDEFGHJKMNPQRSTVWXYZ012";

const NO_PATH = /^HTTP\/1\.1 403 Forbidden path_not_allowed$/;
const NO_HOST = /^HTTP\/1\.1 403 Forbidden host_not_allowed$/;
const NO_WAY = /^(?:ECONNRESET|ECONNREFUSED|ENETUNREACH|EHOSTUNREACH|EPERM|not connected)$/;
const NO_RIGHT = /^E[A-Z]+$/;
const NOTHING = /^$/;

/** What is to come of a try, by the beginning of its name; the first that fits counts. */
const EXPECTED: readonly [name: RegExp, outcome: RegExp][] = [
  // What is no path at all, is no address of the instance's either.
  [/^instance (?:\/\/|@|\*)/, NO_HOST],
  [/^instance behind a request$/, /^HTTP\/1\.1 401 Unauthorized path_not_allowed$/],
  [/^instance by CONNECT$/, /^HTTP\/1\.1 (?:403|501) /],
  [/^instance \//, NO_PATH],
  [/^own link with the proxy's token$/, /^HTTP\/1\.1 401 /],
  // Its own path, whatever a header says, and the proxies have none of this name.
  [/^own path that a header renames$/, /^HTTP\/1\.1 404 /],
  [/^own path by a whole address$/, NO_PATH],
  [/^own host behind another$/, NO_HOST],
  [/^WebSocket to reveille/, /^HTTP\/1\.1 403 Forbidden websocket_not_allowed$/],
  [/^WebSocket to /, NO_HOST],
  [/^https without a name$/, NO_WAY],
  [/^(?:https? |metadata)/, NO_HOST],
  [/^(?:tcp|udp) /, NO_WAY],
  // The address that every name has inside: nobody outside would give this one.
  [/^name with a secret in it$/, /^11\.0\.0\.1$/],
  [/^text of a name$/, NO_RIGHT],
  [/^(?:read|write) /, NO_RIGHT],
  [/^processes of others$/, /^seen$/],
  [
    /^(?:programs that are missing|environment of others|what can be read of others|link token in files|signal to the runner)$/,
    NOTHING,
  ],
  [/^own environment$/, /^(?!.*(?:rvl_link|key-of-nobody|OWNER_TOKEN|RUNNER_TOKEN|SIGNING_KEY|REVEILLE_BRIEF)).+$/s],
  [/^sockets in files$/, /^\d$/],
  [
    /^status$/,
    /^Uid:\t(\d{5})\t\1\t\1\t\1; Gid:\t(\d{5})\t\2\t\2\t\2; Groups:\s*; (?:Cap\w{3}:\t0{16}; ){5}NoNewPrivs:\t1;/,
  ],
  // Root of nothing: what it may do counts for the namespace alone.
  [/^own user namespace$/, /^(?:0|refused)$/],
  [
    /^(?:become |own network|network|mark|frames|mount|change root|make|raw socket|signal to process 1|time|low port|ping)/,
    /^refused$/,
  ],
];

let bed: Bed;
before(async () => {
  if (NO_ENGINE === null) bed = await Bed.start(1);
});
after(async () => await bed?.stop());

containerTest("an agent that wants out of its container finds no way", async () => {
  const service = await listen();
  const given = JSON.stringify({ other: OTHER_RUN, ports: [service.port], machine: linkLocal() });
  const script = bed.model.write([inContainer("attack.mjs", given)]);
  const run = await bed.settled(await bed.begin(script)).finally(service.close);
  assert.equal(run.status, "succeeded", JSON.stringify(run.error));
  const events = await bed.events(run);
  const [result] = events.filter((event) => event.type === "tool.result");
  assert.ok(result);
  const found = Object.entries(outcomesIn(result.text));
  assert.ok(found.length > 100, `${found.length} tries`);
  const outcomeOf = (name: string) => EXPECTED.find(([pattern]) => pattern.test(name))?.[1];
  assert.deepEqual(
    found.filter(([name, outcome]) => outcomeOf(name)?.test(outcome) !== true),
    [],
  );
  assert.equal(service.calls(), 0);
  const notices = events.filter((event) => event.type === "notice").map(({ code, message }) => `${code}: ${message}`);
  const denied = "host_not_allowed: The network policy of this run does not allow evil.example.";
  assert.equal(notices.filter((notice) => notice === denied).length, 1, notices.join("\n"));
});

containerTest("the doctor's probe finds what it is to find", async () => {
  const run = await bed.settled(await bed.begin(bed.model.write([PROBE_COMMAND])));
  assert.equal(run.status, "succeeded", JSON.stringify(run.error));
  const [result] = (await bed.events(run)).filter((event) => event.type === "tool.result");
  const told = /^probe:(\{.*\})$/m.exec(result?.text ?? "")?.[1] ?? "";
  const findings = judgeProbe(z.record(z.string(), z.unknown()).parse(JSON.parse(told)));
  // A local engine's side-car is known to take orders from inside: see docs/security.md.
  const unexpected = findings.filter(({ check, status }) => status !== "ok" && check !== "probe: side-car");
  assert.deepEqual(unexpected, []);
});

/** This machine's addresses on its own networks, as a container's first network card asks for them. */
function linkLocal(): string[] {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  return all.filter(({ address }) => address.startsWith("fe80:")).map(({ address }) => `${address}%eth0`);
}

/** A service of the house, on every address of this machine. @returns its port, and how often anybody has come. */
async function listen(): Promise<{ port: number; calls(): number; close(): void }> {
  let calls = 0;
  const count = () => {
    calls += 1;
  };
  const service = createServer((socket) => socket.on("error", () => {}).end("reached")).on("connection", count);
  await once(service.listen(0), "listening");
  const { port, family } = service.address() as AddressInfo;
  const datagrams = createSocket(family === "IPv6" ? "udp6" : "udp4", count).bind(port);
  const close = () => {
    service.close();
    datagrams.close();
  };
  return { port, calls: () => calls, close };
}
