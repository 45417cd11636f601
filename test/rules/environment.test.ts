/** What is an environment, what is refused of one, and what an attempt gets of it. */
import { describe, expect, it } from "vitest";
import {
  type AttemptEnvironment,
  attemptEnvironmentSchema,
  DEFAULT_ENVIRONMENT,
  DEFAULT_ENVIRONMENT_ID,
  type Environment,
  type EnvironmentInput,
  environmentInputSchema,
  environmentSchema,
  hostPatternSchema,
  type NetworkLevel,
  networkAdditionsSchema,
  networkLevels,
  VARIABLE_LIMIT_BYTES,
} from "#protocol/environment.ts";
import { hasTooMuch, keptEnvironment } from "#rules/environment/kept-environment.ts";

const LEAST: EnvironmentInput = environmentInputSchema.parse({ name: "ci" });
const ENVIRONMENT: Environment = environmentSchema.parse({
  ...LEAST,
  id: DEFAULT_ENVIRONMENT_ID,
  name: DEFAULT_ENVIRONMENT,
  status: "active",
  revision: 0,
  created_at: null,
  created_by: null,
  updated_at: null,
  updated_by: null,
});

/** The fields that are named as wrong; empty when the input is good. */
function faults(input: object): string[] {
  const parsed = environmentInputSchema.safeParse({ name: "ci", ...input });
  return parsed.success ? [] : parsed.error.issues.map(({ path }) => path.join("."));
}

describe("environmentInputSchema", () => {
  it.each([environmentInputSchema, environmentSchema])(
    "takes the example that the API's description has of it",
    (schema) => {
      const examples = schema.meta()?.examples;
      expect(examples).toHaveLength(1);
      expect(schema.array().parse(examples)).toEqual(examples);
    },
  );

  it("fills in each default", () => {
    const network = { level: "trusted", allow: [] };
    expect(LEAST).toEqual({ name: "ci", network, variables: {}, setup: null, instance: null });
  });

  it.each<[string, object]>([
    ["every level without hosts", { network: { level: "none" } }],
    ["hosts beside the list", { network: { allow: ["registry.acme.test"] } }],
    ["two hundred hosts", { network: { allow: Array.from({ length: 200 }, (_, n) => `h${n}.acme.test`) } }],
    ["a variable with a placeholder", { variables: { API_TOKEN: "{{ACME_TOKEN}}" } }],
    ["an empty variable", { variables: { EMPTY: "" } }],
    ["a variable of the greatest length", { variables: { A: "x".repeat(VARIABLE_LIMIT_BYTES) } }],
    ["a variable in lower case", { variables: { npm_config_color: "never" } }],
    ["names that only look like the runner's", { variables: { PATHS: "1", MY_GIT_DIR: "2", BUN_INSTALL: "3" } }],
    ["a script", { setup: "#!/bin/bash\napt-get install -y jq\n" }],
    ["a size", { instance: "standard-4" }],
  ])("accepts %s", (_sentence, change) => {
    expect(faults(change)).toEqual([]);
  });

  it.each<[string, object, string]>([
    ["a name with capitals", { name: "CI" }, "name"],
    ["a name of 41 characters", { name: "n".repeat(41) }, "name"],
    ["a name like an id", { name: "env_1" }, "name"],
    ["an unknown level", { network: { level: "open" } }, "network.level"],
    ["hosts where nothing may be reached", { network: { level: "none", allow: ["a.test"] } }, "network.allow"],
    ["an unknown key of the network", { network: { deny: [] } }, "network"],
    ["a bad host", { network: { allow: ["a.test", "http://b.test"] } }, "network.allow.1"],
    ["too many hosts", { network: { allow: Array.from({ length: 201 }, (_, n) => `h${n}.test`) } }, "network.allow"],
    ["a variable with a dash", { variables: { "A-B": "1" } }, "variables.A-B"],
    ["a variable that an object can't have", { variables: JSON.parse('{"__proto__": "1"}') }, "variables.__proto__"],
    ["a variable that begins with a digit", { variables: { "1A": "1" } }, "variables.1A"],
    ["a variable with a sign of equality", { variables: { "A=B": "1" } }, "variables.A=B"],
    ["a variable that is a number", { variables: { A: 1 } }, "variables.A"],
    ["a null character", { variables: { A: "x\0y" } }, "variables.A"],
    ["half a character", { variables: { A: "\ud800" } }, "variables.A"],
    ["a variable that is too long", { variables: { A: "é".repeat(VARIABLE_LIMIT_BYTES / 2 + 1) } }, "variables.A"],
    ["too many variables", { variables: numbered(101, "x") }, "variables"],
    ["variables that are too long together", { variables: numbered(9, "x".repeat(30_000)) }, "variables"],
    ["an empty script", { setup: "" }, "setup"],
    ["a script that is too long", { setup: "x".repeat(65_537) }, "setup"],
    ["an unknown size", { instance: "huge" }, "instance"],
    ["a status", { status: "archived" }, ""],
    ["an unknown key", { vars: {} }, ""],
  ])("refuses %s and names the field", (_sentence, change, field) => {
    expect(new Set(faults(change))).toEqual(new Set([field]));
  });

  it.each([
    ...["LD_PRELOAD", "LD_LIBRARY_PATH", "GIT_SSH_COMMAND", "GIT_CONFIG_COUNT", "ANTHROPIC_BASE_URL", "NODE_OPTIONS"],
    ...["PATH", "HOME", "BASH_ENV", "ENV", "IFS", "CLAUDE_CONFIG_DIR", "CLAUDECODE", "REVEILLE_RUN_ID", "https_proxy"],
    ...["HTTP_PROXY", "no_proxy", "SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS", "GLIBC_TUNABLES", "TMPDIR", "PS4", "BASHPID"],
    ...["path", "ld_preload", "git_dir", "BUN_OPTIONS", "BUN_INSPECT", "BUN_INSPECT_CONNECT_TO", "BUN_JSC_useJIT"],
    "BUN_CONFIG_VERBOSE_FETCH",
  ])("refuses the variable %s, which is the runner's", (name) => {
    expect(faults({ variables: { [name]: "x" } })).toEqual([`variables.${name}`]);
  });
});

describe("hostPatternSchema", () => {
  it.each([
    ...["example.com", "a.b.example.com", "*.example.com", "*.s3.example.com", "xn--bcher-kva.example"],
    ...["_dmarc.example.com", "a--b.example.com", "1.example.com", "*.co.uk", "x.test"],
  ])("takes %s", (host) => {
    expect(hostPatternSchema.safeParse(host).error).toBeUndefined();
  });

  it.each<[string, string]>([
    ["*", "must name hosts"],
    ["*.com", "must be a name of the internet"],
    ["example", "must be a name of the internet"],
    ["localhost", "must be a name of the internet"],
    ["db.internal", "must be a name of the internet"],
    ["*.corp", "must be a name of the internet"],
    ["metadata.google.internal", "must be a name of the internet"],
    ["127.0.0.1", "must be a name of the internet"],
    ["0x7f.1", "must be a name of the internet"],
    ["2130706433", "must be a name of the internet"],
    ["[::1]", "alone, without a scheme"],
    ["https://example.com", "alone, without a scheme"],
    ["example.com:443", "alone, without a scheme"],
    ["example.com/path", "alone, without a scheme"],
    ["user@example.com", "alone, without a scheme"],
    ["ex*mple.com", 'may have "*" only'],
    ["*.*.example.com", 'may have "*" only'],
    ["Example.com", 'must be written as "example.com"'],
    ["bücher.example", 'must be written as "xn--bcher-kva.example"'],
    ["example。com", 'must be written as "example.com"'],
    ["example.com.", "must be a name of the internet"],
    [".example.com", "must be a name of the internet"],
    ["exam ple.com", "alone, without a scheme"],
    ["example.com\n", "alone, without a scheme"],
    ["xn--\u0000.com", "must be a name of the internet"],
    ["", "must be a name of the internet"],
  ])("refuses %j, and says why", (host, message) => {
    expect(hostPatternSchema.safeParse(host).error?.issues[0]?.message).toContain(message);
  });
});

describe("keptEnvironment", () => {
  const additions = {
    variables: { A: "routine", B: "{{B}}" },
    network: networkAdditionsSchema.parse({ allow: ["a.test"] }),
  };

  it.each<[NetworkLevel, NetworkLevel]>([
    ["none", "custom"],
    ["trusted", "trusted"],
    ["custom", "custom"],
    ["full", "full"],
  ])("adds a routine's hosts to the level %s, which is %s then", (level, expected) => {
    const network = { level, allow: [] };
    expect(keptEnvironment({ ...ENVIRONMENT, network }, additions).network).toEqual({
      level: expected,
      allow: ["a.test"],
    });
  });

  it.each(networkLevels)("leaves the level %s as it is where the routine adds nothing", (level) => {
    const network = { level, allow: [] };
    const nothing = { variables: {}, network: { allow: [] } };
    expect(keptEnvironment({ ...ENVIRONMENT, network }, nothing).network).toEqual(network);
  });

  it("names each host once, and has the routine's variable where both set one", () => {
    const environment: Environment = {
      ...ENVIRONMENT,
      network: { level: "custom", allow: ["a.test", "b.test"] },
      variables: { A: "environment", C: "environment" },
    };
    const kept = keptEnvironment(environment, additions);
    expect(kept).toMatchObject({ network: { level: "custom", allow: ["a.test", "b.test"] } });
    expect(kept.variables).toEqual({ A: "routine", B: "{{B}}", C: "environment" });
  });

  it("notes when both together are more than a sandbox takes", () => {
    const half = { ...ENVIRONMENT, variables: numbered(5, "x".repeat(30_000)) };
    expect(hasTooMuch(half)).toBe(false);
    const more = { ...additions, variables: numbered(5, "x".repeat(30_000), "R") };
    expect(hasTooMuch(keptEnvironment(half, more))).toBe(true);
  });
});

it("an attempt's environment can be told to its runner", () => {
  const { id, name, revision, network, variables } = ENVIRONMENT;
  const told: AttemptEnvironment = { id, name, revision, network, variables, secret_values: [], setup: null };
  expect(attemptEnvironmentSchema.parse(told)).toEqual(told);
});

function numbered(count: number, value: string, prefix = "V"): Record<string, string> {
  return Object.fromEntries(Array.from({ length: count }, (_, number) => [`${prefix}${number}`, value]));
}
