/** What a probe has an agent run in its sandbox, and what is made of each thing that it tells. */
import type { Finding } from "#protocol/diagnosis.ts";

/**
 * Tries the walls around a run, and prints what came of each as JSON. It reads nothing that is anybody's, sends nothing, and has no
 * quote that a shell would take.
 */
const PROGRAM = `
const { readFileSync } = require("fs"), { connect } = require("net"), { resolve4 } = require("dns").promises;
const within = (work) => Promise.race([work, new Promise((done) => setTimeout(done, 4000, "silent"))]);
const tcp = (host, port) => within(new Promise((done) => connect(port, host).on("data", () => done("answered")).on("close", () => done("closed")).on("error", (e) => done(e.code))));
const opens = (host, port) => within(new Promise((done) => connect(port, host, () => done("open")).on("error", (e) => done(e.code))));
const http = (url) => within(fetch(url, { redirect: "manual" }).then((a) => a.status + " " + (a.headers.get("x-deny-reason") ?? ""), (e) => String(e.cause?.code ?? e.message)));
const read = (file) => { try { readFileSync(file); return "read"; } catch (e) { return e.code; } };
(async () => {
  const [instance, plain, secure, metadata, raw, control, name] = await Promise.all([
    http("http://reveille.internal/healthz"), http("http://probe.example/"), http("https://probe.example/"),
    http("http://169.254.169.254/latest/meta-data/"), tcp("140.82.121.4", 22), opens("127.0.0.1", 39001),
    within(resolve4("probe" + Date.now() + ".example.com").then(String, (e) => e.code))]);
  const rights = readFileSync("/proc/self/status", "latin1").match(/^(Uid|CapPrm|CapEff|CapBnd|NoNewPrivs):.*$/gm).join("; ");
  console.log("probe:" + JSON.stringify({ rights, brief: read("/proc/1/environ"), shadow: read("/etc/shadow"), instance, plain, secure, metadata, raw, control, name }));
  process.exit(0);
})();`;

/** One line for a shell. */
export const PROBE_COMMAND = `node -e '${PROGRAM.replaceAll("\n", " ").trim()}'`;

interface Wall {
  check: string;
  /** What the agent must not do. */
  what: string;
  holds: RegExp;
  /** What it means where it does not hold. */
  otherwise: "fault" | "warning";
}

const REFUSED = /^(?:403 \w+_not_allowed|silent|closed|E[A-Z_]+|UND_ERR_\w+|fetch failed)$/;

/** By the name under which the command tells it. */
const WALLS: Readonly<Record<string, Wall>> = {
  rights: {
    check: "probe: rights",
    what: "The agent's commands are a user's without any capability, who can't gain one",
    holds: /^Uid:\t[1-9]\d*\t.*; CapPrm:\t0{16}; CapEff:\t0{16}; CapBnd:\t0{16}; NoNewPrivs:\t1$/,
    otherwise: "fault",
  },
  brief: {
    check: "probe: link token",
    what: "The environment of the first process, where the link token is, can't be read",
    holds: /^E[A-Z]+$/,
    otherwise: "fault",
  },
  shadow: { check: "probe: files", what: "Files of root's can't be read", holds: /^E[A-Z]+$/, otherwise: "fault" },
  instance: {
    check: "probe: instance",
    what: "Other paths of the instance can't be reached",
    holds: REFUSED,
    otherwise: "fault",
  },
  plain: {
    check: "probe: http",
    what: "A host that the policy lacks can't be reached over HTTP",
    holds: REFUSED,
    otherwise: "fault",
  },
  secure: {
    check: "probe: https",
    what: "A host that the policy lacks can't be reached over HTTPS",
    holds: REFUSED,
    otherwise: "fault",
  },
  metadata: {
    check: "probe: metadata",
    what: "The machine's metadata can't be reached",
    holds: REFUSED,
    otherwise: "fault",
  },
  raw: {
    check: "probe: tcp",
    what: "No server answers over TCP beside HTTP",
    holds: /^(?!answered$)/,
    otherwise: "fault",
  },
  control: {
    check: "probe: side-car",
    what: "No control port of a side-car is open inside",
    holds: /^(?!open$)/,
    otherwise: "warning",
  },
  name: {
    check: "probe: names",
    what: "A name that nobody has is looked up nowhere outside",
    holds: /^(?:11\.0\.0\.1|E[A-Z]+|silent)$/,
    otherwise: "warning",
  },
};

/** @param told what the command printed. @returns a finding for each wall; one that it tells nothing of is unknown. */
export function judgeProbe(told: Readonly<Record<string, unknown>>): Finding[] {
  return Object.entries(WALLS).map(([name, { check, what, holds, otherwise }]) => {
    const outcome = told[name];
    if (typeof outcome !== "string") {
      return { check, status: "unknown", message: `The probe tells nothing of this: ${what}.`, hint: null };
    }
    if (holds.test(outcome))
      return { check, status: "ok", message: `${what} (${outcome.replaceAll("\t", " ")}).`, hint: null };
    const message = `This does not hold: ${what}. The probe found: ${outcome.replaceAll("\t", " ")}.`;
    const hint =
      "docs/security.md says what follows from it. Let no run work on strangers' text until it is understood.";
    return { check, status: otherwise, message, hint };
  });
}
