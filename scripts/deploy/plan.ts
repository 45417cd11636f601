/** Pure: from what is there and what is wanted to the steps of a deploy. */
import { JURISDICTIONS } from "./places.ts";
import type { Found } from "./resources.ts";
import type { Wanted } from "./wanted.ts";

/** In the order in which they are done: what can fail without a trace first, what replaces the one that serves as late as possible. */
export const STEPS = [
  "web",
  "database",
  "bucket",
  "queues",
  "secrets",
  "configuration",
  "migrations",
  "upload",
  "domain",
  "ready",
  "sign-in",
] as const;
export type StepName = (typeof STEPS)[number];

export interface PlannedStep {
  name: StepName;
  /** What will be done, for people. */
  will: string;
}

/**
 * What becomes of containers: their image is built and given; or what is deployed of them stays as it is; or the instance has
 * none, and runs are for runners of one's own.
 */
export type Containers = { kind: "build" } | { kind: "keep" } | { kind: "none"; why: string };

export interface PlanInput {
  wanted: Wanted;
  /** Null where nobody is signed in: then all is told as for an empty account. */
  found: Found | null;
  /** What the person gives, by name. */
  given: Record<string, string>;
  /** Secrets that an earlier deploy of this machine has made. */
  made: Record<string, string>;
  /** Names of secrets that can be made, and kept. */
  makeable: readonly string[];
  secretNames: readonly string[];
  wantsContainers: boolean;
  /** Why there is no container engine; null when there is one. */
  engineFault: string | null;
  domain: string | null;
  location: string | null;
}

export interface Plan {
  steps: PlannedStep[];
  /** What has to be mended first; then nothing is done. */
  faults: string[];
  jurisdiction: string | null;
  containers: Containers;
  /** Variables that are set; what is deployed and not among them stays. */
  variables: Record<string, string>;
  /** Names of secrets that have to be made. */
  secretsToMake: string[];
  /** Names of secrets that are given with the version. */
  secretsToGive: string[];
  /** The address that people use; null where it is not known before the upload. */
  url: string | null;
}

/** How many containers run at once where nobody says. */
const DEFAULT_CONTAINERS = "10";
const NOTHING: Found = { database: null, hasBucket: false, queues: [], worker: null, subdomain: null, domainOf: null };

export function planDeploy(input: PlanInput): Plan {
  const found = input.found ?? NOTHING;
  const jurisdiction = wantedJurisdiction(input.given, found.worker);
  const containers = decideContainers(input, found.worker);
  const given = variablesOf(input, containers, found.worker);
  const secrets = secretsOf(input, found.worker);
  const url = urlOf(input, given, found);
  // A run in a container dials a name that exists in no other place: what it pushes has to name the address that people use.
  const variables = url === null ? given : { ...given, PUBLIC_URL: url };
  const faults = [
    ...strangerFaults(input.wanted, found.worker),
    ...domainFaults(input, found),
    ...jurisdictionFaults(input, found, jurisdiction),
    ...secrets.missing.map(
      (name) => `${name} is missing, and can't be made here: give it in the environment or in the file of variables.`,
    ),
    ...(input.found !== null && url === null ? [NO_ADDRESS] : []),
  ];
  const names = STEPS.filter((name) => name !== "domain" || input.domain !== null);
  const steps = names.map((name) => ({
    name,
    will: WORDS[name]({ ...input, found, containers, jurisdiction, url, variables, ...secrets }),
  }));
  return {
    steps,
    faults,
    jurisdiction,
    containers,
    variables,
    secretsToMake: secrets.toMake,
    secretsToGive: secrets.toGive,
    url,
  };
}

const NO_ADDRESS =
  "The account has no name at workers.dev yet. Open https://dash.cloudflare.com/?to=/:account/workers/onboarding once, or give --domain.";

/**
 * A worker of the same name that knows none of these classes is somebody's own: but one without objects that has a secret of
 * Reveille's, as `wrangler secret put` or the deploy button makes it before the first version.
 */
function strangerFaults({ name, classes, requiredSecrets }: Wanted, worker: Found["worker"]): string[] {
  if (worker === null || worker.classes.some((known) => classes.includes(known))) return [];
  if (worker.classes.length === 0 && worker.secrets.some((secret) => requiredSecrets.includes(secret))) return [];
  return [
    `The account has a worker ${name} that is not Reveille, and it would be replaced: choose another name with --name.`,
  ];
}

function domainFaults({ domain, wanted }: PlanInput, { domainOf }: Found): string[] {
  if (domainOf === null || domainOf === wanted.name) return [];
  return [`${domain} leads to the worker ${domainOf}: give another --domain, or take it away from that one first.`];
}

/** What is deployed stays where it is: only a first deploy chooses. */
function wantedJurisdiction(given: Record<string, string>, worker: Found["worker"]): string | null {
  return (given["JURISDICTION"] ?? worker?.variables["JURISDICTION"]) || null;
}

function jurisdictionFaults(
  { given, found: account, wanted }: PlanInput,
  found: Found,
  jurisdiction: string | null,
): string[] {
  const faults: string[] = [];
  if (jurisdiction !== null && !JURISDICTIONS.some((known) => known === jurisdiction)) {
    faults.push(
      `JURISDICTION=${jurisdiction}: Cloudflare keeps databases and queues in ${JURISDICTIONS.join(", ")} alone.`,
    );
  }
  const deployed = found.worker === null ? undefined : (found.worker.variables["JURISDICTION"] ?? "");
  const asked = given["JURISDICTION"];
  if (deployed !== undefined && asked !== undefined && asked !== deployed) {
    faults.push(
      `JURISDICTION is ${told(deployed)} where this instance is deployed, and can't become ${told(asked)}: its objects would be looked for where they are not. Deploy another instance with --name (docs/operations.md).`,
    );
  }
  const isElsewhere = found.database !== null && found.database.jurisdiction !== jurisdiction;
  if (faults.length === 0 && account !== null && isElsewhere) {
    faults.push(
      `The database ${wanted.database} is in jurisdiction ${told(found.database?.jurisdiction ?? null)}, and ${told(jurisdiction)} is wanted: a database can't be moved. Deploy under another --name, or remove the database if it is not in use.`,
    );
  }
  return faults;
}

function told(jurisdiction: string | null): string {
  return jurisdiction === null || jurisdiction === "" ? "none" : `"${jurisdiction}"`;
}

function decideContainers(
  { wanted, wantsContainers, given, engineFault }: PlanInput,
  worker: Found["worker"],
): Containers {
  if (!wanted.hasImage) return { kind: "none", why: "wrangler.toml has no container image" };
  if (!wantsContainers) return { kind: "none", why: "--no-containers" };
  if (given["CONTAINERS"] === "0") return { kind: "none", why: "CONTAINERS=0" };
  if (engineFault === null) return { kind: "build" };
  return Number(worker?.variables["CONTAINERS"] ?? 0) > 0 ? { kind: "keep" } : { kind: "none", why: engineFault };
}

function variablesOf(
  { given, wanted, secretNames, domain }: PlanInput,
  containers: Containers,
  worker: Found["worker"],
): Record<string, string> {
  const plain = Object.entries(given).filter(([name]) => !secretNames.includes(name));
  const count = worker?.variables["CONTAINERS"];
  const isOn = count !== undefined && count !== "" && count !== "0";
  return {
    ...(domain === null ? {} : { PUBLIC_URL: `https://${domain}` }),
    ...(containers.kind === "build" && !isOn ? { CONTAINERS: DEFAULT_CONTAINERS } : {}),
    ...Object.fromEntries(plain),
    ...(containers.kind === "none" && wanted.hasImage ? { CONTAINERS: "0" } : {}),
  };
}

function secretsOf({ wanted, given, made, makeable, secretNames }: PlanInput, worker: Found["worker"]) {
  const isSet = (name: string) => given[name] !== undefined || (worker?.secrets.includes(name) ?? false);
  const lacking = wanted.requiredSecrets.filter((name) => !isSet(name));
  const unmade = lacking.filter((name) => made[name] === undefined);
  return {
    toMake: unmade.filter((name) => makeable.includes(name)),
    missing: unmade.filter((name) => !makeable.includes(name)),
    // What an earlier deploy of this machine has made is given only where the worker has none: another may have changed it.
    toGive: [
      ...secretNames.filter((name) => given[name] !== undefined),
      ...lacking.filter((name) => made[name] !== undefined || makeable.includes(name)),
    ],
  };
}

function urlOf({ wanted, domain }: PlanInput, variables: Record<string, string>, found: Found): string | null {
  const named = variables["PUBLIC_URL"] ?? found.worker?.variables["PUBLIC_URL"];
  if (domain !== null) return `https://${domain}`;
  if (named !== undefined && named !== "") return named.replace(/\/+$/, "");
  return found.subdomain === null ? null : `https://${wanted.name}.${found.subdomain}.workers.dev`;
}

interface Told extends PlanInput {
  found: Found;
  containers: Containers;
  jurisdiction: string | null;
  url: string | null;
  variables: Record<string, string>;
  toMake: string[];
  toGive: string[];
}

const WORDS: Record<StepName, (facts: Told) => string> = {
  web: () => "Build the web app",
  database: (facts) => keepOrMake(facts.found.database !== null, `D1 database ${facts.wanted.database}`, facts),
  bucket: (facts) => keepOrMake(facts.found.hasBucket, `R2 bucket ${facts.wanted.bucket}`, facts),
  queues: (facts) =>
    facts.wanted.queues
      .map((queue) => keepOrMake(facts.found.queues.includes(queue), `queue ${queue}`, { ...facts, location: null }))
      .join("; "),
  secrets: ({ toMake, wanted }) =>
    toMake.length === 0
      ? "Secrets: all that are required are there"
      : `Make the secrets ${toMake.join(", ")}, kept in .reveille/deploy/${wanted.name}/secrets.json`,
  configuration: ({ wanted }) => `Write .reveille/deploy/${wanted.name}/wrangler.json from wrangler.toml`,
  migrations: ({ wanted }) =>
    `Bring the schema of ${wanted.database} up to date; the version that serves goes on with it`,
  upload: ({ wanted, containers, variables, toGive }) =>
    [
      `Deploy ${wanted.name}: ${["code", ...Object.keys(variables), ...toGive].join(", ")} in one version`,
      containerWords(containers),
    ].join("; "),
  domain: ({ domain, wanted }) => `Have ${domain} lead to ${wanted.name}`,
  ready: ({ url }) => `Wait until ${url ?? "its address at workers.dev"} says that it is ready`,
  "sign-in": () => "Make a sign-in link that works once",
};

function containerWords(containers: Containers): string {
  if (containers.kind === "build") return "its container image is built before, pushed, and pinned by its digest";
  if (containers.kind === "keep")
    return "its container image stays the one that is deployed: there is no container engine here";
  return `runs are left to your own runners (${containers.why})`;
}

function keepOrMake(
  isThere: boolean,
  what: string,
  { jurisdiction, location }: { jurisdiction: string | null; location: string | null },
): string {
  if (isThere) return `Use the ${what}`;
  if (jurisdiction !== null) return `Make the ${what} in jurisdiction ${jurisdiction}`;
  return location === null ? `Make the ${what}` : `Make the ${what} near ${location}`;
}
