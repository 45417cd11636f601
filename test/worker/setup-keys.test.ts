/** On what the key depends by which a setup script's result is found again, as a table. */
import { describe, expect, it } from "vitest";
import { AttemptEnvironmentReader } from "#instance/attempt-environments.ts";
import type { KeptEnvironment } from "#rules/environment/kept-environment.ts";

const KEPT: KeptEnvironment = {
  id: "env_1",
  name: "ci",
  revision: 1,
  network: { level: "custom", allow: ["a.test", "b.test"] },
  variables: { A: "1", B: "{{SECRET}}" },
  setup: "echo made >~/made",
  instance: null,
};

async function keyOf(changes: Partial<KeptEnvironment> = {}, secret = "value-of-the-secret", signingKey = "key-one") {
  const fill = async (variables: Readonly<Record<string, string>>) => ({
    ok: true as const,
    variables: Object.fromEntries(
      Object.entries(variables).map(([name, text]) => [name, text.replace("{{SECRET}}", secret)]),
    ),
    secret_values: [secret],
  });
  const reader = new AttemptEnvironmentReader({ check: async () => null, fill }, [signingKey, "key-before"]);
  const of = { lease: { run_id: "run_1", generation: 1 }, routineId: "rtn_1" };
  const told = await reader.read({ ...KEPT, ...changes }, of);
  return told.ok ? told.value.setup?.cache_key : null;
}

describe("the key of a setup script's result", () => {
  it.each<[string, Partial<KeptEnvironment>]>([
    ["its name and revision", { name: "other", revision: 9 }],
    ["the container's size", { instance: "lite" }],
    ["the order of hosts", { network: { level: "custom", allow: ["b.test", "a.test"] } }],
    ["the order of variables", { variables: { B: "{{SECRET}}", A: "1" } }],
  ])("is the same whatever is %s", async (_what, changes) => {
    expect(await keyOf(changes)).toBe(await keyOf());
    expect(await keyOf()).toMatch(/^[0-9a-f]{64}$/);
  });

  it("is another for every other environment, policy, variable, script, value of a secret, and instance", async () => {
    const { network, variables } = KEPT;
    const keys = await Promise.all([
      keyOf(),
      keyOf({ id: "env_2" }),
      keyOf({ setup: `${KEPT.setup} ` }),
      keyOf({ network: { ...network, level: "trusted" } }),
      keyOf({ network: { ...network, allow: ["a.test"] } }),
      keyOf({ network: { ...network, allow: ["a.test,b.test"] } }),
      keyOf({ variables: { ...variables, A: "2" } }),
      keyOf({ variables: { ...variables, A: '1"],["B2","' } }),
      keyOf({ variables: { ...variables, C: "" } }),
      keyOf({ variables: { A: variables["B"] ?? "", B: "1" } }),
      keyOf({}, "another-value"),
      keyOf({}, undefined, "key-two"),
    ]);
    expect(new Set(keys).size).toBe(keys.length);
  });

  it("is none where there is no script", async () => {
    expect(await keyOf({ setup: null })).toBeUndefined();
  });
});
