/** Secrets of the right form that are wrong all the same, and what has to be there for a part of the work. */
import type { Config } from "#instance/config.ts";
import type { Finding } from "#protocol/diagnosis.ts";
import { fault, warning, well } from "./finding.ts";

/** What is wrong with the form of a secret is told by readiness: then nothing of this is asked. */
export function secretFindings(config: Config): Finding[] {
  const findings = [...distinctFindings(config), ...githubFindings(config)];
  if (findings.some(({ status }) => status !== "ok")) return findings;
  return [well("secrets", "Owner, signing and runner secrets are there, and differ."), ...findings];
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

function githubFindings({ gitCredentials, isLocal }: Config): Finding[] {
  if (gitCredentials.size > 0 || isLocal) return [];
  const message = "There is no credential for any git host: public repositories are cloned, and nothing can be pushed.";
  return [warning("GIT_CREDENTIALS", message, "Set GIT_CREDENTIALS, as .dev.vars.example shows.")];
}
