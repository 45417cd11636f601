/** Which secrets a text names, who names one, and what is said of it. */
import { describe, expect, it } from "vitest";
import { listed, nameFault, narrowed, scopeWords, valueWarning } from "../../web/src/secrets/secret-words.ts";
import { secretsIn, whereNamed } from "../../web/src/secrets/where-named.ts";

describe("secrets that a text names", () => {
  it.each([
    ["{{TOKEN}}", ["TOKEN"]],
    ["https://user:{{ A_1 }}@host/{{B}}?again={{B}}", ["A_1", "B"]],
    ["\\{{TOKEN}}", []],
    ["{{github.number}} {{ a | b }} {{1A}}", []],
    ["plain", []],
  ])("%s", (text, names) => {
    expect(secretsIn(text)).toEqual(names);
  });
});

it("those who name a secret are environments in use, and routines by a variable or an address", () => {
  const environment = (name: string, status: "active" | "archived", text: string) => ({
    id: `env_${name}`,
    name,
    status,
    variables: { A: text },
  });
  const routine = (name: string, text: string, webhook?: string) => ({
    id: `rtn_${name}`,
    name,
    variables: { A: text },
    notify: webhook === undefined ? [{ slack: "{{OTHER}}" }] : [{ webhook }],
  });
  const { environments, routines, connectors, isInRules } = whereNamed(
    "TOKEN",
    [
      environment("ci", "active", "{{TOKEN}}"),
      environment("old", "archived", "{{TOKEN}}"),
      environment("x", "active", "TOKEN"),
    ],
    [
      routine("one", "{{ TOKEN }}"),
      routine("two", "", "https://example.com/{{TOKEN}}"),
      routine("three", "\\{{TOKEN}}"),
    ],
    [{ slack: "{{OTHER}}" }, { webhook: "https://example.com/{{TOKEN}}" }],
    [
      { id: "con_1", name: "linear", auth: { type: "bearer", token: "{{TOKEN}}" } },
      { id: "con_2", name: "slack", auth: { type: "none" } },
    ],
  );
  expect(connectors.map(({ name }) => name)).toEqual(["linear"]);
  expect(environments.map(({ name }) => name)).toEqual(["ci"]);
  expect(routines.map(({ name }) => name)).toEqual(["one", "two"]);
  expect(isInRules).toBe(true);
  for (const by of ["slack", "telegram", "discord"] as const) {
    expect(whereNamed("TOKEN", [], [], [{ [by]: "{{TOKEN}}" }], []).isInRules).toBe(true);
  }
  expect(whereNamed("OTHER", [], [], [{ slack: "{{TOKEN}}" }, { email: "team@example.com" }], []).isInRules).toBe(
    false,
  );
});

it.each([
  [null, "Scope can’t be read"],
  [{}, "For all runs"],
  [{ routines: ["rtn_1"] }, "For runs of 1 routine"],
  [{ environments: ["env_1", "env_2"] }, "For runs in 2 environments"],
  [{ routines: ["rtn_1", "rtn_2"], environments: ["env_1"] }, "For runs of 2 routines in 1 environment"],
  [{ connectors: ["con_1"] }, "For the headers of 1 connector"],
  [{ connectors: ["con_1"], routines: ["rtn_1"] }, "For the headers of 1 connector in runs of 1 routine"],
])("the scope %j is told as %s", (scope, words) => {
  expect(scopeWords(scope)).toBe(words);
});

it("a scope is sent without its empty lists, and with every list that it has", () => {
  const scope = { routines: ["rtn_1"], environments: [], connectors: ["con_1"] };
  expect(narrowed(scope)).toEqual({ routines: ["rtn_1"], connectors: ["con_1"] });
});

it.each([
  [[], ""],
  [["a"], "a"],
  [["a", "b"], "a and b"],
  [["a", "b", "c"], "a, b and c"],
  [["a", "b", "c", "d", "e"], "a, b and 3 more"],
])("%j is listed as %s", (names, words) => {
  expect(listed(names)).toBe(words);
});

it("a name is one of a variable, and a value that is short is warned of", () => {
  expect(nameFault("ACME_TOKEN")).toBeUndefined();
  expect(nameFault("9LIVES")).toMatch(/digit/);
  expect(nameFault("WITH-DASH")).toMatch(/underscores/);
  expect(nameFault("")).toMatch(/name/);
  expect(valueWarning("")).toBeUndefined();
  expect(valueWarning("short")).toMatch(/8 characters/);
  expect(valueWarning("long enough")).toBeUndefined();
});
