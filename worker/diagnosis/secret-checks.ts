/** Secrets of the right form that are wrong all the same: two of them are one. */
import type { Config } from "#instance/config.ts";
import type { Finding } from "#protocol/diagnosis.ts";
import { fault, well } from "./finding.ts";

/** What is wrong with the form of a secret is told by readiness: then nothing of this is asked. */
export function secretFindings(config: Config): Finding[] {
  const findings = twinFindings(secretsOf(config));
  return findings.length > 0 ? findings : [well("secrets", "Owner, signing and runner secrets are there, and differ.")];
}

interface Secret {
  /** Of the variable that holds it. */
  name: string;
  /** Without what tells that it is the one before. */
  of: string;
  value: string;
}

function secretsOf({ ownerTokens, signingKeys, runnerTokens, githubSecrets, slackSecret }: Config): Secret[] {
  const all: Record<string, readonly string[]> = {
    OWNER_TOKEN: ownerTokens,
    SIGNING_KEY: signingKeys,
    RUNNER_TOKEN: runnerTokens,
    GITHUB_WEBHOOK_SECRET: githubSecrets,
    SLACK_SIGNING_SECRET: slackSecret === null ? [] : [slackSecret],
  };
  return Object.entries(all).flatMap(([of, values]) =>
    values.map((value, place) => ({ of, value, name: place === 0 ? of : `${of}_PREVIOUS` })),
  );
}

/** One secret for two things: whoever has it for the one could do the other. */
function twinFindings(secrets: readonly Secret[]): Finding[] {
  return secrets.flatMap(({ name, of, value }, place) => {
    const twin = secrets.slice(0, place).find((one) => one.value === value && one.of !== of);
    return twin === undefined ? [] : [fault(name, `${name} is the same as ${twin.name}.`, anew(name))];
  });
}

function anew(name: string): string {
  return `Make another one: openssl rand -hex 32, then npx wrangler secret put ${name}.`;
}
