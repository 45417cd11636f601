/** What the person asks of a deploy: its arguments, and the variables and secrets that it gives to the instance. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { parseArgs, parseEnv } from "node:util";
import { GIVEN_VARIABLES } from "#instance/config.ts";
import { codeOf, failed, messageOf, type Outcome, succeeded } from "#scripts/outcome.ts";
import { LOCATIONS } from "./places.ts";

export const USAGE = `npm run deploy -- [options]

  --dry-run          print what would be done, and change nothing
  --name NAME        another instance beside the first, with a database, bucket and queues of its own
  --domain HOST      serve it at this name too, of a zone in the same account; else at workers.dev alone
  --location PLACE   where a new database and bucket are made: ${LOCATIONS.join(", ")}
  --no-containers    leave runs to your own runners

Variables and secrets come from the environment, else from .deploy.vars (.deploy.NAME.vars): see docs/deploy.md.`;

export interface DeployOptions {
  isDryRun: boolean;
  /** Null for that of wrangler.toml. */
  name: string | null;
  domain: string | null;
  location: string | null;
  wantsContainers: boolean;
  /** The name of the file in the project's folder that variables come from. */
  variablesFile: string;
  /** What the instance is given, by name. An empty text counts as none. */
  given: Record<string, string>;
}

/** A worker's name, as Cloudflare takes it: it is a part of an address. */
const NAME = /^[a-z0-9]([a-z0-9-]{0,52}[a-z0-9])?$/;
const HOST = /^([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}$/;

/** @returns null where help was asked for. */
export function readOptions(
  args: string[],
  environment: NodeJS.ProcessEnv,
  root: string,
): Outcome<DeployOptions | null> {
  const parsed = parse(args);
  if (!parsed.ok) return parsed;
  const { help, name = null, domain = null, location = null } = parsed.value;
  if (help === true) return succeeded(null);
  if (name !== null && !NAME.test(name)) {
    return failed(
      `--name ${name}: a name has small letters, digits and hyphens, 54 at most, and no hyphen at its ends.`,
    );
  }
  if (domain !== null && !HOST.test(domain))
    return failed(`--domain ${domain}: give a host name, as reveille.example.com.`);
  if (location !== null && !LOCATIONS.some((known) => known === location)) {
    return failed(`--location ${location}: it has to be one of ${LOCATIONS.join(", ")}.`);
  }
  const variablesFile = name === null ? ".deploy.vars" : `.deploy.${name}.vars`;
  const fromFile = readVariables(path.join(root, variablesFile));
  if (!fromFile.ok) return fromFile;
  const unknown = Object.keys(fromFile.value).filter((key) => !GIVEN_VARIABLES.includes(key));
  if (unknown.length > 0) {
    return failed(`${variablesFile} names ${unknown.join(", ")}: .dev.vars.example lists what there is.`);
  }
  return succeeded({
    isDryRun: parsed.value["dry-run"] === true,
    name,
    domain,
    location,
    wantsContainers: parsed.value["no-containers"] !== true,
    variablesFile,
    given: { ...withoutEmpty(fromFile.value), ...withoutEmpty(fromEnvironment(environment)) },
  });
}

function parse(args: string[]) {
  try {
    const { values } = parseArgs({
      args,
      options: {
        "dry-run": { type: "boolean" },
        "no-containers": { type: "boolean" },
        name: { type: "string" },
        domain: { type: "string" },
        location: { type: "string" },
        help: { type: "boolean", short: "h" },
      },
    });
    return succeeded(values);
  } catch (error) {
    return failed(`${messageOf(error)}\n\n${USAGE}`);
  }
}

function readVariables(file: string): Outcome<NodeJS.Dict<string>> {
  try {
    return succeeded(parseEnv(readFileSync(file, "utf8")));
  } catch (error) {
    if (codeOf(error) === "ENOENT") return succeeded({});
    return failed(`${file} can't be read (${messageOf(error)}): repair or remove it.`);
  }
}

function fromEnvironment(environment: NodeJS.ProcessEnv): NodeJS.Dict<string> {
  return Object.fromEntries(
    GIVEN_VARIABLES.flatMap((name) => (environment[name] === undefined ? [] : [[name, environment[name]]])),
  );
}

function withoutEmpty(variables: NodeJS.Dict<string>): Record<string, string> {
  return Object.fromEntries(Object.entries(variables).flatMap(([name, value]) => (value ? [[name, value]] : [])));
}
