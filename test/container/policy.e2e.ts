/** The table of the network policy, asked for by a program in a real container: `test/support/policy-rows.ts`. */
import assert from "node:assert/strict";
import { after, before } from "node:test";
import { environmentSchema } from "#protocol/environment.ts";
import { HOST_LENGTH } from "#protocol/host-use.ts";
import { until } from "#test/scripts/support/until.ts";
import { OWN_RUN, POLICIES, POLICY_ROWS, type PolicyName, type PolicyRow } from "#test/support/policy-rows.ts";
import { Bed, LONG_MS } from "./support/bed.ts";
import { containerTest, NO_ENGINE } from "./support/engine.ts";
import { inContainer, outcomesIn } from "./support/program.ts";

let bed: Bed;
before(async () => {
  if (NO_ENGINE === null) bed = await Bed.start(1);
});
after(async () => await bed?.stop());

for (const policy of Object.keys(POLICIES) as PolicyName[]) {
  containerTest(`a container reaches what the policy "${policy}" says, and is refused in its words`, async () => {
    const body = { name: `policy-${policy}`, network: POLICIES[policy] };
    await bed.ask({ method: "POST", path: "/api/v1/environments", body, answer: environmentSchema });
    const rows = POLICY_ROWS.filter((row) => row.policy === policy).map(asWritten);
    const given = JSON.stringify(rows.map(({ ask, isUpgrade }) => ({ ask, isUpgrade })));
    const script = bed.model.write([inContainer("ask-hosts.mjs", given)]);
    const run = await bed.settled(await bed.begin(script, { environment: body.name }));
    assert.equal(run.status, "succeeded", JSON.stringify(run.error));
    const [result] = (await bed.events(run)).filter((event) => event.type === "tool.result");
    assert.ok(result);
    const found = outcomesIn(result.text);
    const verdicts = rows.map(({ ask, isUpgrade }) => {
      const name = `${isUpgrade ? "upgrade " : ""}${ask}`;
      return [name, verdictOf(ask, found[name] ?? "")];
    });
    assert.deepEqual(
      verdicts,
      rows.map(({ ask, isUpgrade, verdict }) => [`${isUpgrade ? "upgrade " : ""}${ask}`, verdict]),
    );
    // Counts come a little later than what they count.
    const expected = { allowed: namesIn(rows, "internet"), denied: namesIn(rows, "host_not_allowed") };
    let missing = expected;
    await until("the counts of all hosts", LONG_MS, async () => {
      const { hosts = [] } = (await bed.run(run.id)).evidence;
      const isIn = (isAllowed: boolean) => (name: string) =>
        hosts.some(({ host, allowed }) => host === name && allowed === isAllowed);
      missing = {
        allowed: expected.allowed.filter((name) => !isIn(true)(name)),
        denied: expected.denied.filter((name) => !isIn(false)(name)),
      };
      return missing.allowed.length + missing.denied.length === 0;
    }).catch(() => assert.deepEqual(missing, { allowed: [], denied: [] }));
    const { hosts = [] } = (await bed.run(run.id)).evidence;
    const allowed = hosts.filter((row) => row.allowed).map(({ host }) => host);
    assert.deepEqual(allowed.sort(), expected.allowed);
  });
}

/** Names of other scripts go over the wire as DNS has them; which run it is, the program finds out. */
function asWritten(row: PolicyRow): PolicyRow {
  const ask = /^[!-~]*$/.test(row.ask) ? row.ask : (URL.parse(row.ask)?.href ?? row.ask);
  return { ...row, ask: ask.replaceAll(OWN_RUN, "OWN_RUN") };
}

/** The hosts of a verdict, where they are asked for by nothing but a name that there can be. */
function namesIn(rows: readonly PolicyRow[], verdict: PolicyRow["verdict"]): string[] {
  const named = rows.filter(({ ask }) => verdict === "internet" || /^https?:\/\/(?:[\w-]+\.)+[\w-]+\//.test(ask));
  const names = named.filter((row) => row.verdict === verdict).map(({ ask }) => new URL(ask).hostname);
  return [...new Set(names)].filter(({ length }) => length <= HOST_LENGTH).sort();
}

/** Where nothing of the internet can be reached, an allowed host has not answered. */
function verdictOf(ask: string, outcome: string): string {
  // What is no address at all may be broken off on its way to the worker: it has reached nothing.
  if (URL.parse(ask) === null && outcome === "ECONNRESET") return "host_not_allowed";
  const reason = /^HTTP\/1\.1 403 Forbidden (\S+)$/.exec(outcome)?.[1];
  if (reason !== undefined) return reason;
  if (/^HTTP\/1\.1 401 /.test(outcome)) return "proxy";
  return /^HTTP\/1\.1 (?:[234]\d\d|50[234]) [^_]*$/.test(outcome) ? "internet" : outcome;
}
