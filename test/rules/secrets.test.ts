/** Which secrets a text names, what becomes of it, and who may use one. */
import { describe, expect, it } from "vitest";
import { type SecretScope, secretInputSchema, secretNameSchema } from "#protocol/secret.ts";
import { fillSecrets, secretsIn } from "#rules/secrets/placeholders.ts";
import { isInScope } from "#rules/secrets/scope.ts";

const VALUES = new Map([
  ["TOKEN", "t0ken"],
  ["_a1", "$& $1 {{TOKEN}} \\"],
  ["EMPTY", ""],
]);

const TEXTS: [text: string, filled: string, names: string[]][] = [
  ["plain", "plain", []],
  ["", "", []],
  ["{{TOKEN}}", "t0ken", ["TOKEN"]],
  ["{{ TOKEN }}", "t0ken", ["TOKEN"]],
  ["{{   TOKEN}}", "t0ken", ["TOKEN"]],
  ["Bearer {{TOKEN}}!", "Bearer t0ken!", ["TOKEN"]],
  ["{{TOKEN}}{{TOKEN}}", "t0kent0ken", ["TOKEN"]],
  ["{{TOKEN}}:{{_a1}}", "t0ken:$& $1 {{TOKEN}} \\", ["TOKEN", "_a1"]],
  ["{{EMPTY}}", "", ["EMPTY"]],
  ["{{OTHER}} {{TOKEN}}", "{{OTHER}} t0ken", ["OTHER", "TOKEN"]],
  ["{{token}}", "{{token}}", ["token"]],
  ["\\{{TOKEN}}", "{{TOKEN}}", []],
  ["\\\\{{TOKEN}}", "\\{{TOKEN}}", []],
  ["\\{{ TOKEN }} {{TOKEN}}", "{{ TOKEN }} t0ken", ["TOKEN"]],
  ["{{{TOKEN}}}", "{t0ken}", ["TOKEN"]],
  ["{{github.number}}", "{{github.number}}", []],
  ["{{ user.name | upper }}", "{{ user.name | upper }}", []],
  ["{{1TOKEN}}", "{{1TOKEN}}", []],
  ["{{}} {{ }} {{", "{{}} {{ }} {{", []],
  ["{{TOKEN}", "{{TOKEN}", []],
  ["{TOKEN}", "{TOKEN}", []],
  ["{{\nTOKEN\n}}", "{{\nTOKEN\n}}", []],
  [`{{${"A".repeat(65)}}}`, `{{${"A".repeat(65)}}}`, []],
  ["{{TÖKEN}}", "{{TÖKEN}}", []],
];

describe("a text with secrets", () => {
  it.each(TEXTS)("%j becomes %j", (text, filled, names) => {
    expect([...secretsIn({ V: text }).keys()]).toEqual(names);
    expect(fillSecrets({ V: text }, VALUES)).toEqual({ V: filled });
  });

  it("tells for each secret the variables that use it", () => {
    const variables = { A: "{{TOKEN}}", B: "{{TOKEN}} {{TOKEN}} {{X}}", C: "c" };
    expect(Object.fromEntries(secretsIn(variables))).toEqual({ TOKEN: ["A", "B"], X: ["B"] });
  });
});

const ROUTINE = "rtn_00000000000000000000000001";
const OTHER = "rtn_00000000000000000000000002";
const SCOPES: [scope: SecretScope, isIn: boolean][] = [
  [{}, true],
  [{ routines: [ROUTINE] }, true],
  [{ routines: [OTHER, ROUTINE] }, true],
  [{ routines: [OTHER] }, false],
  [{ environments: ["env_a"] }, true],
  [{ environments: ["env_b"] }, false],
  [{ routines: [ROUTINE], environments: ["env_b"] }, false],
  [{ routines: [OTHER], environments: ["env_a"] }, false],
  [{ routines: [ROUTINE], environments: ["env_a", "env_b"] }, true],
];

it.each(SCOPES)("the scope %j lets a run use the secret: %j", (scope, isIn) => {
  expect(isInScope(scope, { routineId: ROUTINE, environmentId: "env_a" })).toBe(isIn);
});

const LONGEST = 65_536;
const INPUTS: [what: string, input: unknown, fits: boolean][] = [
  ["one character", { value: "x" }, true],
  ["nothing", { value: "" }, false],
  ["the longest", { value: "x".repeat(LONGEST) }, true],
  ["one byte more", { value: "x".repeat(LONGEST + 1) }, false],
  ["too many bytes in fewer characters", { value: "€".repeat(LONGEST / 3 + 1) }, false],
  ["NUL", { value: "a\0b" }, false],
  ["half a character", { value: "a\ud800" }, false],
  ["line breaks", { value: "-----BEGIN KEY-----\nabc\r\n" }, true],
  ["no text", { value: 12_345_678 }, false],
  ["neither", {}, false],
  ["both", { value: "x", from: { vault: { path: "a", key: "b" } } }, false],
  ["Vault", { from: { vault: { path: "acme/production", key: "token" } } }, true],
  ["Vault without a key", { from: { vault: { path: "acme" } } }, false],
  ["AWS", { from: { aws: { secret_id: "prod/token", region: "eu-central-1" } } }, true],
  ["AWS in no region", { from: { aws: { secret_id: "prod/token", region: "evil.example/" } } }, false],
  ["two stores", { from: { aws: { secret_id: "a" }, vault: { path: "a", key: "b" } } }, false],
  ["a scope of nobody", { value: "x", scope: { routines: [] } }, false],
  ["a routine by name", { value: "x", scope: { routines: ["docs-sync"] } }, false],
  ["an environment", { value: "x", scope: { environments: [`env_${"0".repeat(26)}`] } }, true],
  ["an environment by name", { value: "x", scope: { environments: ["default"] } }, false],
];

it.each(INPUTS)("a secret given as %s", (_what, input, fits) => {
  expect(secretInputSchema.safeParse(input).success).toBe(fits);
});

it.each([
  ["ACME_TOKEN", true],
  ["_x9", true],
  ["a", true],
  ["A".repeat(64), true],
  ["A".repeat(65), false],
  ["9A", false],
  ["A-B", false],
  ["A.B", false],
  ["", false],
  ["Ä", false],
])("the name %j is one: %j", (name, fits) => {
  expect(secretNameSchema.safeParse(name).success).toBe(fits);
});
