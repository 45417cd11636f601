/** Secrets of the right form that are wrong all the same: two of them are one. */
import type { Config } from "#instance/config.ts";
import type { Finding } from "#protocol/diagnosis.ts";
import { fault, well } from "./finding.ts";

/** What is wrong with the form of a secret is told by readiness: then nothing of this is asked. */
export function secretFindings(config: Config): Finding[] {
  const findings = distinctFindings(config);
  return findings.length > 0 ? findings : [well("secrets", "Owner, signing and runner secrets are there, and differ.")];
}

/** One secret for two things: whoever has it for the one could do the other. */
function distinctFindings({ ownerTokens, signingKeys, runnerTokens }: Config): Finding[] {
  const named: [name: string, value: string][] = [
    ["OWNER_TOKEN", ownerTokens[0]],
    ["SIGNING_KEY", signingKeys[0]],
    ["RUNNER_TOKEN", runnerTokens[0]],
  ];
  return named.flatMap(([name, value], index) => {
    const twin = named.slice(0, index).find((one) => one[1] === value);
    if (twin === undefined) return [];
    const hint = `Make another one: openssl rand -hex 32, then npx wrangler secret put ${name}.`;
    return [fault(name, `${name} is the same as ${twin[0]}.`, hint)];
  });
}
