/** What the pages say of connectors, and what their form sends. */
import { describe, expect, it } from "vitest";
import {
  type ConnectorDraft,
  draftOfConnector,
  headerFault,
  inputOf,
  NEW_CONNECTOR,
  rulesWords,
  statusLabel,
} from "#web/src/connectors/connector-words.ts";
import { withNames } from "#web/src/connectors/users-in-words.ts";
import { Problem } from "#web/src/problem.ts";

const AT = "2026-11-21T09:00:00.000Z";

it.each([
  ["unreachable", null, "none", "Not looked at yet"],
  ["ready", AT, "none", "Ready"],
  ["needs_login", AT, "oauth", "Needs a login"],
  ["needs_login", AT, "bearer", "Needs a credential"],
  ["unreachable", AT, "oauth", "Unreachable"],
] as const)("%s, looked at %s, with %s is told as it is", (status, checked_at, type, text) => {
  expect(statusLabel({ status, checked_at, auth: { type } }).text).toBe(text);
});

it.each([
  [{}, null],
  [{ allow: [], deny: [] }, "no tool"],
  [{ allow: ["list_*", "get_issue"] }, "only list_*, get_issue"],
  [{ deny: ["delete_*"], read_only: true }, "not delete_*; only what changes nothing"],
])("rules %o in words", (rules, words) => {
  expect(rulesWords(rules)).toBe(words);
});

describe("the form", () => {
  const draft = (given: Partial<ConnectorDraft>): ConnectorDraft => ({
    ...NEW_CONNECTOR,
    name: " linear ",
    url: "https://mcp.example.com/mcp ",
    ...given,
  });

  it.each([
    [{ type: "none", token: "LEFT_OVER" }, { type: "none" }],
    [
      { type: "bearer", token: "LINEAR_TOKEN" },
      { type: "bearer", token: "{{LINEAR_TOKEN}}" },
    ],
    [
      { type: "bearer", token: "{{ LINEAR_TOKEN }}" },
      { type: "bearer", token: "{{LINEAR_TOKEN}}" },
    ],
    [
      {
        type: "header",
        headers: [
          { name: "X-Api-Key ", value: "{{KEY}}" },
          { name: "", value: "" },
        ],
      },
      { type: "header", headers: { "X-Api-Key": "{{KEY}}" } },
    ],
    [{ type: "oauth" }, { type: "oauth" }],
    [
      { type: "oauth", client_id: "abc", client_secret: "CLIENT", scope: "a b" },
      { type: "oauth", client_id: "abc", client_secret: "{{CLIENT}}", scope: "a b" },
    ],
  ] as const)("sends %o as %o, and shows what it has sent as it was written", (given, auth) => {
    const sent = inputOf(draft(given as Partial<ConnectorDraft>));
    expect(sent).toEqual({ name: "linear", url: "https://mcp.example.com/mcp", auth });
    expect(inputOf(draftOfConnector(sent))).toEqual(sent);
  });

  it("says that a header is there twice, of which only one would be sent", () => {
    const twice = [
      { name: "X-Key", value: "{{A}}" },
      { name: "x-key", value: "{{B}}" },
    ];
    expect(headerFault(draft({ type: "header", headers: twice }))).toMatch(/^x-key is there twice/);
    expect(headerFault(draft({ type: "header", headers: twice.slice(1) }))).toBeUndefined();
    expect(headerFault(draft({ type: "none", headers: twice }))).toBeUndefined();
  });
});

it("a refusal names the routines that name a connector, by their names where those are known", () => {
  const issues = [
    { field: "rtn_1", message: "" },
    { field: "rtn_2", message: "" },
  ];
  const refused = new Problem({
    status: 409,
    type: "conflict_error",
    message: "",
    hint: null,
    code: "connector_in_use",
    issues,
  });
  expect(withNames(refused, [{ id: "rtn_1", name: "triage" }]).message).toBe(
    "triage and rtn_2 name it, so it can be neither renamed nor deleted.",
  );
  const other = new Problem({ status: 404, type: "not_found_error", message: "Gone.", hint: null, code: "not_found" });
  expect(withNames(other, [])).toBe(other);
});
