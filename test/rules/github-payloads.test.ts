/** Payloads of every GitHub event, made from GitHub's own schemas, and any JSON at all: each is read, and nothing throws. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Json, JsonObject } from "#protocol/schema.ts";
import { CONTEXT_LIMIT, githubFactsSchema, sourceReadingSchema } from "#protocol/source-event.ts";
import { parseExact } from "#worker/http/exact-json.ts";
import { GITHUB_CATEGORIES } from "#worker/inbound/sources/github/categories.ts";
import { readInstallation } from "#worker/inbound/sources/github/installation.ts";
import { readGithub } from "#worker/inbound/sources/github/read-event.ts";
import { cut, eventNameOf, isObject, textAt, valueAt } from "#worker/inbound/sources/payload.ts";
import { chance } from "./support/random.ts";
import { type Example, exampleOf } from "./support/schema-examples.ts";

interface Hook {
  /** As the schema's document calls it, for instance `issues-opened`. */
  title: string;
  /** As `X-GitHub-Event` does. */
  name: string;
  schema: Json;
}

const require = createRequire(import.meta.url);
const DELIVERY = "72d3162e-cc78-11e3-81ab-4c9367dc0958";
const SOME = 3;
const document = readSchemas();
const hooks = hooksOf(document);
const names = [...new Set(hooks.map(({ name }) => name))];

it("are of every event that GitHub documents", () => {
  expect(hooks.length).toBeGreaterThan(250);
  expect(names.length).toBeGreaterThan(70);
  expect(names).toEqual(expect.arrayContaining(GITHUB_CATEGORIES.map(({ event }) => event)));
});

it("of the launch categories have exactly the actions that are listed", () => {
  for (const { event, actions } of GITHUB_CATEGORIES.filter((one) => one.actions.length > 0)) {
    const documented = hooks
      .filter(({ name }) => name === event)
      .map(({ title }) => title.slice(event.length + 1).replaceAll("-", "_"));
    expect({ event, actions: [...actions] }).toEqual({ event, actions: documented });
  }
});

it("of the launch categories are in the documentation, with each action", () => {
  const lines = readFileSync(join(import.meta.dirname, "../../docs/listeners/github.md"), "utf8").split(/\n(?! )/);
  for (const { title, event, actions } of GITHUB_CATEGORIES) {
    expect(lines).toContainEqual(expect.stringMatching(new RegExp(`^\\| ${title} +\\| \`${event}\` `)));
    if (actions.length === 0) continue;
    const listed = lines.find((line) => line.startsWith(`- \`${event}\`: `)) ?? "";
    expect([...listed.matchAll(/`(\w+)`/g)].map(([, name]) => name)).toEqual([event, ...actions]);
  }
});

describe.each(names)("of %s", (name) => {
  it("are read, or ignored with a reason", () => {
    const seeds = Array.from({ length: SOME }, (_, seed): Example => ({ extent: "some", chance: chance(seed) }));
    const examples: Example[] = [
      { extent: "least", chance: chance(0) },
      { extent: "most", chance: chance(0) },
      ...seeds,
    ];
    for (const hook of hooks.filter((one) => one.name === name)) {
      for (const example of examples) expectRead(name, exampleOf(document, hook.schema, example));
    }
  });
});

it("in full have a checkout where they are about a pull request, and name their repository", () => {
  for (const { name, schema } of hooks.filter((hook) => hook.name.startsWith("pull_request"))) {
    const payload = exampleOf(document, schema, { extent: "most", chance: chance(1) });
    const reading = readGithub(name, DELIVERY, payload);
    expect(reading).toMatchObject({
      github: {
        repository: { id: 2_147_483_647, is_private: true },
        checkout: { ref: "refs/pull/2147483647/head", commit: `${"a".repeat(39)}b` },
      },
    });
  }
});

it("of installations tell the repositories", () => {
  for (const { name, schema } of hooks.filter((hook) => hook.name.startsWith("installation"))) {
    const payload = exampleOf(document, schema, { extent: "most", chance: chance(1) });
    const change = readInstallation(name, payload);
    if (name === "installation_target") expect(change).toBeNull();
    else expect([...(change?.added ?? []), ...(change?.removed ?? [])]).not.toEqual([]);
  }
});

describe("any JSON", () => {
  it("is read or ignored", () => {
    fc.assert(
      fc.property(fc.constantFrom(...names, "made_up"), fc.jsonValue(), (name, payload) => {
        expectRead(name, JSON.parse(JSON.stringify(payload)));
      }),
      { numRuns: 300 },
    );
  });

  it("in the places of an event's parts is read", () => {
    const keys = ["id", "number", "sha", "ref", "user", "login", "head", "base", "repo", "body", "labels", "commits"];
    const part = fc.dictionary(fc.constantFrom(...keys), fc.jsonValue());
    const parts = ["pull_request", "issue", "comment", "repository", "sender", "workflow_run", "check_run", "release"];
    const payload = fc.dictionary(
      fc.constantFrom(...parts, "action", "ref", "after", "commits", "branches", "thread"),
      fc.oneof(part, fc.jsonValue()),
    );
    fc.assert(
      fc.property(fc.constantFrom(...names), payload, (name, value) => {
        expectRead(name, JSON.parse(JSON.stringify(value)));
      }),
      { numRuns: 600 },
    );
  });

  it.each([
    [
      "nested deeper than it can be written down",
      JSON.parse(`{"client_payload":${"[".repeat(200_000)}${"]".repeat(200_000)}}`),
    ],
    ["with prototypes for keys", JSON.parse('{"__proto__":{"action":"x"},"constructor":1,"action":"toString"}')],
    ["with a text of megabytes", { pull_request: { title: "x".repeat(5e6), body: "\n".repeat(5e6), number: 1 } }],
  ])("%s is read", (_, payload) => {
    for (const name of ["repository_dispatch", "pull_request", "made_up"]) {
      const reading = readGithub(name, DELIVERY, payload);
      expect(reading.kind).toBe("event");
      if (reading.kind === "event") expect(reading.event.context.length).toBeLessThanOrEqual(CONTEXT_LIMIT);
    }
  });

  it.each(["", "Pull_Request", "pull request", "constructor ", "x".repeat(65), "__proto__", "é"])(
    "under the name %j is ignored",
    (name) => {
      expect(readGithub(name, DELIVERY, {})).toEqual({
        kind: "ignored",
        reason: "X-GitHub-Event is not the name of an event.",
      });
    },
  );

  it("with an action of which nothing is seen has none", () => {
    expect(readGithub("issues", DELIVERY, { action: " " })).toMatchObject({ event: { action: null } });
    expectRead("issues", { action: " " });
  });

  it("under names that objects have is an event like another", () => {
    for (const name of ["constructor", "valueof"]) expectRead(name, { action: "a", repository: { private: false } });
  });
});

function expectRead(name: string, payload: Json): void {
  const reading = readGithub(name, DELIVERY, payload);
  if (reading.kind === "ignored") {
    expect(reading.reason).toMatch(/\.$/);
    expect(name === "ping" || !isObject(payload)).toBe(true);
    return;
  }
  const { event, github } = reading;
  expect(sourceReadingSchema.safeParse(event).error).toBeUndefined();
  expect(githubFactsSchema.safeParse(github).error).toBeUndefined();
  const action = eventNameOf(textAt(payload, "action"));
  expect(event).toMatchObject({ name, action: action && cut(action, 200), dedupe_key: DELIVERY });
  expect(event.payload).toBe(payload);
  expect(event.summary).not.toBe("");
  expect(event.summary).not.toMatch(/undefined|\[object|NaN|\n/);
  expect(event.context).toContain(`Event: ${name}`);
  expect(event.context.length).toBeLessThanOrEqual(CONTEXT_LIMIT);
  expect(github.push_marks.filter((mark) => mark.length > 1_500)).toEqual([]);
  if (valueAt(payload, "repository.private") === true) expect(github.is_stranger).toBe(false);
}

function readSchemas(): JsonObject {
  const main = require.resolve("@octokit/openapi-webhooks");
  return JSON.parse(readFileSync(join(dirname(main), "generated", "api.github.com.json"), "utf8"));
}

function hooksOf(schemas: JsonObject): Hook[] {
  const webhooks = valueAt(schemas, "webhooks");
  if (!isObject(webhooks)) throw new Error("the schemas have no webhooks");
  return Object.entries(webhooks).map(([title, hook]) => {
    const content = valueAt(hook, "post.requestBody.content");
    const schema = isObject(content) && isObject(content["application/json"]) ? content["application/json"] : {};
    const name = textAt(hook, "post.x-github.subcategory")?.replaceAll("-", "_") ?? "";
    return { title, name, schema: schema["schema"] ?? null };
  });
}

it("tells numbers of a payload with their digits", () => {
  const payload = parseExact(
    '{"action":"deploy","client_payload":{"build":7654321098765432101,"parts":[9007199254740993]}}',
  );
  const reading = readGithub("repository_dispatch", DELIVERY, payload as JsonObject);
  const { context } = reading.kind === "event" ? reading.event : expect.unreachable();
  expect(context).toMatch(/"build": 7654321098765432101,/);
  expect(context).toMatch(/\n +9007199254740993\n/);
});
