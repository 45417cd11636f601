/** From what an account has and what is wanted to the steps of a deploy, and to the configuration that wrangler gets. */
import path from "node:path";
import { describe, expect, it } from "vitest";
import { experimental_readRawConfig as readRawConfig } from "wrangler";
import { SECRET_VARIABLES } from "#instance/config.ts";
import { generatedConfig } from "#scripts/deploy/generated-config.ts";
import { readOptions } from "#scripts/deploy/options.ts";
import { type PlanInput, planDeploy } from "#scripts/deploy/plan.ts";
import type { Found } from "#scripts/deploy/resources.ts";
import { type WranglerConfig, wantedOf, wranglerSchema } from "#scripts/deploy/wanted.ts";
import { credentialsOf } from "#scripts/deploy/wrangler.ts";
import { DRAWN_SECRETS } from "#scripts/instance/secrets.ts";

const ROOT = path.join(import.meta.dirname, "..", "..");
const config: WranglerConfig = wranglerSchema.parse(
  readRawConfig({ config: path.join(ROOT, "wrangler.toml") }).rawConfig,
);
const wanted = wantedOf(config, null);

const DEPLOYED = { versionId: "1", classes: ["RoutineObject"] };
const NONE = { database: null, hasBucket: false, queues: [], worker: null, domainOf: null };
const EMPTY: Found = { ...NONE, subdomain: "acme" };
const COMPLETE: Found = {
  database: { id: "id-of-the-database", jurisdiction: null },
  hasBucket: true,
  queues: wanted.queues,
  worker: { ...DEPLOYED, variables: { CONTAINERS: "4" }, secrets: [...wanted.requiredSecrets] },
  subdomain: "acme",
  domainOf: null,
};

function plan(facts: Partial<PlanInput> = {}) {
  return planDeploy({
    wanted,
    found: EMPTY,
    given: {},
    made: {},
    makeable: DRAWN_SECRETS,
    secretNames: SECRET_VARIABLES,
    wantsContainers: true,
    engineFault: null,
    domain: null,
    location: null,
    ...facts,
  });
}

function worker(variables: Record<string, string>, secrets: string[] = []): Found {
  return { ...COMPLETE, worker: { ...DEPLOYED, variables, secrets: [...wanted.requiredSecrets, ...secrets] } };
}

function told(facts: Partial<PlanInput> = {}): string {
  return plan(facts)
    .steps.map(({ will }) => will)
    .join("\n");
}

describe("a plan", () => {
  it("for an empty account makes everything, and replaces what serves last", () => {
    const { steps, faults, secretsToMake, secretsToGive, url } = plan();
    expect(faults).toEqual([]);
    expect(secretsToMake).toEqual(wanted.requiredSecrets);
    expect(secretsToGive).toEqual(wanted.requiredSecrets);
    expect(url).toBe("https://reveille.acme.workers.dev");
    const names = steps.map(({ name }) => name);
    for (const before of ["database", "bucket", "queues", "secrets", "configuration", "migrations"] as const) {
      expect(names.indexOf(before)).toBeLessThan(names.indexOf("upload"));
    }
    expect(told()).toContain("Make the D1 database reveille\nMake the R2 bucket reveille-bodies\nMake the queue");
  });

  it("for what is there already makes nothing, and gives no secret again", () => {
    const { secretsToMake, secretsToGive, variables, faults } = plan({ found: COMPLETE });
    expect({ secretsToMake, secretsToGive, variables, faults }).toEqual({
      secretsToMake: [],
      secretsToGive: [],
      variables: { PUBLIC_URL: "https://reveille.acme.workers.dev" },
      faults: [],
    });
    expect(told({ found: COMPLETE })).not.toContain("Make the");
  });

  it.each<[string, Partial<PlanInput>, string, string | undefined]>([
    ["an engine", {}, "build", "10"],
    ["an engine, and a number that is deployed", { found: COMPLETE }, "build", undefined],
    ["an engine, and a number that is given", { given: { CONTAINERS: "3" }, found: COMPLETE }, "build", "3"],
    ["no engine", { engineFault: "none" }, "none", "0"],
    ["no engine, and containers that are deployed", { engineFault: "none", found: COMPLETE }, "keep", undefined],
    [
      "no engine, and an instance without any",
      { engineFault: "none", found: worker({ CONTAINERS: "0" }) },
      "none",
      "0",
    ],
    ["an engine, and an instance without any", { found: worker({ CONTAINERS: "0" }) }, "build", "10"],
    ["--no-containers", { wantsContainers: false, found: COMPLETE }, "none", "0"],
    ["CONTAINERS=0", { given: { CONTAINERS: "0" }, found: COMPLETE }, "none", "0"],
  ])("with %s decides about containers", (_with, facts, kind, count) => {
    const { containers, variables } = plan(facts);
    expect(containers.kind).toBe(kind);
    expect(variables["CONTAINERS"]).toBe(count);
  });

  it("says why runs are left to own runners", () => {
    expect(told({ engineFault: "no engine answers" })).toContain("your own runners (no engine answers)");
  });

  it("gives secrets as secrets, and all else as variables", () => {
    const given = {
      ANTHROPIC_API_KEY: "sk-1",
      OWNER_TOKEN_PREVIOUS: "old",
      DEFAULT_MODEL: "claude-x",
      FIRE_BURST: "5",
    };
    const { variables, secretsToGive } = plan({ given, found: COMPLETE });
    expect(variables).toMatchObject({ DEFAULT_MODEL: "claude-x", FIRE_BURST: "5" });
    expect(Object.keys(variables)).not.toContain("ANTHROPIC_API_KEY");
    expect(secretsToGive.toSorted()).toEqual(["ANTHROPIC_API_KEY", "OWNER_TOKEN_PREVIOUS"]);
  });

  it("gives what an earlier deploy has made where the worker lacks it, and nowhere else", () => {
    const made = { OWNER_TOKEN: "made-before" };
    expect(plan({ made }).secretsToMake).toEqual(wanted.requiredSecrets.filter((name) => name !== "OWNER_TOKEN"));
    expect(plan({ made }).secretsToGive).toContain("OWNER_TOKEN");
    expect(plan({ made, found: COMPLETE }).secretsToGive).toEqual([]);
  });

  it("names a required secret that it can't make", () => {
    expect(plan({ makeable: ["OWNER_TOKEN", "RUNNER_TOKEN"] }).faults).toEqual([
      expect.stringContaining("SIGNING_KEY is missing"),
    ]);
  });

  it.each<[string, Partial<PlanInput>, string | null]>([
    ["its own host", { domain: "reveille.example.com" }, "https://reveille.example.com"],
    ["PUBLIC_URL", { given: { PUBLIC_URL: "https://r.example.com/" } }, "https://r.example.com"],
    [
      "PUBLIC_URL as it is deployed",
      { found: worker({ PUBLIC_URL: "https://r.example.com" }) },
      "https://r.example.com",
    ],
    ["workers.dev", {}, "https://reveille.acme.workers.dev"],
    ["workers.dev, for another name", { wanted: wantedOf(config, "pr-7") }, "https://pr-7.acme.workers.dev"],
  ])("finds the address by %s, and tells the instance", (_by, facts, url) => {
    expect(plan(facts).url).toBe(url);
    expect(plan(facts).variables["PUBLIC_URL"]).toBe(url);
  });

  it.each<[string, Partial<PlanInput>, string]>([
    ["an account without an address", { found: { ...EMPTY, subdomain: null } }, "no name at workers.dev"],
    [
      "a worker of somebody else",
      {
        found: {
          ...EMPTY,
          worker: { versionId: "1", classes: ["ChatRoom"], variables: {}, secrets: wanted.requiredSecrets },
        },
      },
      "a worker reveille that is not Reveille",
    ],
    [
      "a worker of somebody else without objects",
      { found: { ...EMPTY, worker: { versionId: "1", classes: [], variables: {}, secrets: ["ANTHROPIC_API_KEY"] } } },
      "a worker reveille that is not Reveille",
    ],
    [
      "a domain that leads to another worker",
      { domain: "www.example.com", found: { ...EMPTY, domainOf: "shop" } },
      "www.example.com leads to the worker shop",
    ],
    ["a jurisdiction without databases", { given: { JURISDICTION: "fedramp-high" } }, "JURISDICTION=fedramp-high"],
    [
      "a jurisdiction that was none",
      { given: { JURISDICTION: "eu" }, found: worker({}) },
      'JURISDICTION is none where this instance is deployed, and can\'t become "eu"',
    ],
    [
      "a jurisdiction that was another",
      {
        given: { JURISDICTION: "eu" },
        found: { ...worker({ JURISDICTION: "us" }), database: { id: "1", jurisdiction: "eu" } },
      },
      'JURISDICTION is "us"',
    ],
    [
      "a database elsewhere",
      { given: { JURISDICTION: "eu" }, found: { ...EMPTY, database: { id: "1", jurisdiction: null } } },
      'The database reveille is in jurisdiction none, and "eu" is wanted',
    ],
  ])("refuses %s before anything is made", (_what, facts, fault) => {
    expect(plan(facts).faults).toEqual([expect.stringContaining(fault)]);
  });

  it("takes a worker that has only been given its secrets for its own", () => {
    const worker = { versionId: "1", classes: [], variables: {}, secrets: ["ANTHROPIC_API_KEY", "SIGNING_KEY"] };
    expect(plan({ found: { ...EMPTY, worker } })).toMatchObject({
      faults: [],
      secretsToMake: ["OWNER_TOKEN", "RUNNER_TOKEN"],
    });
  });

  it("has a domain lead to the worker once it is deployed, and only where one is asked for", () => {
    const domain = "runs.example.com";
    for (const domainOf of [null, "reveille"]) {
      const { steps, faults } = plan({ domain, found: { ...EMPTY, domainOf } });
      expect(faults).toEqual([]);
      const names = steps.map(({ name }) => name);
      expect(names.indexOf("domain")).toBe(names.indexOf("upload") + 1);
    }
    expect(plan().steps.map(({ name }) => name)).not.toContain("domain");
  });

  it("names each variable and secret that it gives, wherever it has it from", () => {
    const given = { ANTHROPIC_BASE_URL: "https://models.example.com", ANTHROPIC_API_KEY: "sk-1" };
    expect(told({ given, found: COMPLETE })).toContain(
      "code, ANTHROPIC_BASE_URL, PUBLIC_URL, ANTHROPIC_API_KEY in one version",
    );
  });

  it("keeps a deployed instance where it is", () => {
    const found = { ...worker({ JURISDICTION: "eu" }), database: { id: "1", jurisdiction: "eu" } };
    expect(plan({ found })).toMatchObject({ faults: [], jurisdiction: "eu" });
  });
});

describe("the generated configuration", () => {
  const input = {
    root: "/clone",
    name: "pr-7",
    databaseId: "id-of-the-database",
    jurisdiction: "eu",
    hasSubdomain: true,
    variables: { CONTAINERS: "10" },
    hasContainers: true,
  };

  it("has names, places and paths of its own, and nothing of a local instance", () => {
    const made = generatedConfig(config, input);
    expect(made).toMatchObject({
      name: "pr-7",
      main: "/clone/worker/index.ts",
      assets: { directory: "/clone/dist/web" },
      d1_databases: [{ binding: "DB", database_name: "pr-7", database_id: "id-of-the-database" }],
      r2_buckets: [{ binding: "BODIES", bucket_name: "pr-7-bodies", jurisdiction: "eu" }],
      vars: { CONTAINERS: "10" },
      keep_vars: true,
      workers_dev: true,
      secrets: config.secrets,
    });
    expect(wanted.queues.map((queue) => queue.replace(/^reveille/, "pr-7"))).toEqual(wantedOf(config, "pr-7").queues);
    expect(JSON.stringify(made)).not.toMatch(/preview_database_id|inspector_port|"reveille/);
    expect(JSON.stringify(made["containers"])).toContain('"dockerfile":"/clone/sandbox-runner/Dockerfile"');
  });

  it("asks wrangler for no domain, and for no address at workers.dev where the account has none", () => {
    expect(generatedConfig(config, input)).not.toHaveProperty("routes");
    expect(generatedConfig(config, { ...input, hasSubdomain: false })).toMatchObject({ workers_dev: false });
  });

  it("without containers has neither them nor an image, and all classes", () => {
    const made = generatedConfig(config, { ...input, hasContainers: false });
    expect(made).not.toHaveProperty("containers");
    expect(Object.keys(made["exports"] as object)).toEqual(Object.keys(config.exports));
    expect(JSON.stringify(made)).not.toContain("ockerfile");
  });
});

describe("what wrangler says of who is signed in", () => {
  const told = (answer: unknown) => credentialsOf(typeof answer === "string" ? answer : JSON.stringify(answer));

  it("is a token, or a key with its address", () => {
    expect(told({ type: "oauth", token: "abc.DEF-1" })).toEqual({
      ok: true,
      value: { type: "token", token: "abc.DEF-1" },
    });
    expect(told({ type: "api_key", key: "k", email: "a@example.com" })).toMatchObject({ ok: true });
  });

  it.each([
    ["a token with a line break", { type: "api_token", token: "hidden\nvalue" }, "copy it again"],
    ["a token with a quotation mark of a document", { type: "api_token", token: "hidden“" }, "copy it again"],
    ["a token of spaces", { type: "api_token", token: " " }, "copy it again"],
    ["a key with a tab", { type: "api_key", key: "hidden\t", email: "a@example.com" }, "copy it again"],
    ["another form", { type: "hidden" }, "not known here"],
    ["no JSON", 'hidden {"token"', "not known here"],
    ["nothing", "", "not known here"],
  ])("is refused where it is %s, and not repeated", (_what, answer, why) => {
    const refused = told(answer);
    expect(refused).toMatchObject({ ok: false, message: expect.stringContaining(why) });
    expect(JSON.stringify(refused)).not.toContain("hidden");
  });
});

describe("the options", () => {
  it.each([
    [["--name", "Bad_Name"], "small letters"],
    [["--domain", "https://x"], "host name"],
    [["--location", "moon"], "one of weur"],
    [["--nothing"], "--nothing"],
    [["stray"], "stray"],
  ])("refuse %j", (args, message) => {
    expect(readOptions(args, {}, ROOT)).toMatchObject({ ok: false, message: expect.stringContaining(message) });
  });

  it("take variables from the environment, and empty ones as none", () => {
    const environment = { ANTHROPIC_API_KEY: "sk-1", JURISDICTION: "", PATH: "/bin" };
    expect(readOptions(["--dry-run"], environment, path.join(ROOT, "nowhere"))).toMatchObject({
      ok: true,
      value: { isDryRun: true, given: { ANTHROPIC_API_KEY: "sk-1" } },
    });
  });
});
