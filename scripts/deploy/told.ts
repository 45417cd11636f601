/** What a deploy tells the person at the terminal. No secret is among it but the link that signs in once. */

import type { Plan, PlannedStep } from "./plan.ts";
import type { Found } from "./resources.ts";

export function planText(steps: PlannedStep[]): string {
  return steps.map(({ will }, index) => `${String(index + 1).padStart(3)}. ${will}`).join("\n");
}

export interface DoneFacts {
  url: string;
  /** Where the person puts variables and secrets. */
  variablesFile: string;
  plan: Plan;
  found: Found;
  /** Names of what the person gives. */
  given: string[];
  signInLink: string | null;
  /** Where this machine keeps what was made. */
  secretsFile: string;
  /** Where the token of runners is; null where this machine does not know it. */
  runnerTokenFile: string | null;
}

export function doneText(facts: DoneFacts): string {
  const { url, plan, signInLink, secretsFile } = facts;
  const signIn =
    signInLink === null
      ? "Sign in with the owner token: this machine does not know the one in force."
      : `Sign in (works once, within ten minutes):\n\n  ${signInLink}`;
  const secrets =
    plan.secretsToMake.length === 0 ? "" : `\nKeep ${secretsFile} safe: nobody can read these secrets again.\n`;
  const todo = stillToDo(facts)
    .map((line) => `  - ${line}`)
    .join("\n");
  return `
Reveille is deployed at ${url}

${signIn}
${secrets}
${runnerText(facts)}
Still to do:

${todo}`;
}

function runnerText({ url, runnerTokenFile }: DoneFacts): string {
  const token = runnerTokenFile ?? "FILE";
  return `Serve runs from a machine of your own (docs/own-runners.md):

  npm run -s reveille -- runner --url ${url} --token-file ${token}
`;
}

/** What a deploy can't do for the person. */
function stillToDo({ url, plan, found, given, variablesFile }: DoneFacts): string[] {
  const isSet = (name: string) => given.includes(name) || (found.worker?.secrets.includes(name) ?? false);
  const { containers } = plan;
  return [
    ...(isSet("ANTHROPIC_API_KEY")
      ? []
      : [`The model's key: put ANTHROPIC_API_KEY into ${variablesFile} and deploy again. Until then no run starts.`]),
    ...(containers.kind === "none"
      ? [
          `A runner: no run is worked on without one, since the instance has no containers (${containers.why}). With a Docker-compatible engine (DOCKER_HOST, WRANGLER_DOCKER_BIN) the next deploy gives it some.`,
        ]
      : []),
    ...(isSet("GIT_CREDENTIALS") ? [] : ["Repositories that are not public: GIT_CREDENTIALS, in the same way."]),
    `Check it: npm run doctor -- --url ${url}; and create the first routine on the page.`,
  ];
}
