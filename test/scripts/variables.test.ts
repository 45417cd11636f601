/** Every variable is where people look for it. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { parseEnv } from "node:util";
import { describe, expect, it } from "vitest";
import { experimental_readRawConfig as readRawConfig } from "wrangler";
import { GIVEN_VARIABLES, SECRET_VARIABLES } from "#instance/config.ts";

const ROOT = path.join(import.meta.dirname, "..", "..");
const read = (file: string) => readFileSync(path.join(ROOT, file), "utf8");

describe("the variables of an instance", () => {
  it("are those of .dev.vars.example, and all but those that everybody needs are commented out", () => {
    const example = read(".dev.vars.example");
    const lines = [...example.matchAll(/^(?:# )?([A-Z_]+)=/gm)].map(([, name = ""]) => name);
    expect(lines.toSorted()).toEqual(GIVEN_VARIABLES.toSorted());
    // Cloudflare's deploy button asks for each of these.
    const asked = { OWNER_TOKEN: "", SIGNING_KEY: "", RUNNER_TOKEN: "", ANTHROPIC_API_KEY: "" };
    expect(parseEnv(example)).toEqual(asked);
  });

  it("have a row each in the one table of docs/deploy.md, secrets as such", () => {
    const rows = [...read("docs/deploy.md").matchAll(/^\| `([A-Z_]+)` +\| (yes|no) /gm)];
    const told = new Map(rows.map(([, name = "", isSecret]) => [name, isSecret === "yes"]));
    expect([...told.keys()].toSorted()).toEqual(GIVEN_VARIABLES.toSorted());
    expect(GIVEN_VARIABLES.filter((name) => told.get(name) === true)).toEqual(SECRET_VARIABLES);
  });

  it("that a deploy needs are secrets", () => {
    const { rawConfig } = readRawConfig({ config: path.join(ROOT, "wrangler.toml") });
    expect(SECRET_VARIABLES).toEqual(expect.arrayContaining(rawConfig.secrets?.required ?? ["none"]));
  });
});
