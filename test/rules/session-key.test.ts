/** Templates of sessions' keys: which can be saved, and what they make of what has happened. */
import { describe, expect, it } from "vitest";
import type { Json } from "#protocol/schema.ts";
import type { EventSource, SourceEvent } from "#protocol/source-event.ts";
import { sessionKeyFault, sessionKeyOf } from "#rules/routine/session-key.ts";

const GITHUB = "{{github.repository}}#{{github.number}}";
const keyed = (session_key: string | null) => ({ session: "keyed" as const, session_key });

function event(source: EventSource, payload: Json, fields: Record<string, Json> = {}): SourceEvent {
  return {
    ...{ source, payload, fields, name: "one", action: null, summary: "One", context: "", github: null },
    ...{ delivery_id: null, event_id: "e1", trigger_id: null, dedupe_key: "d1", content_key: null, caused_by: null },
  };
}

describe("a template can be saved", () => {
  it.each([
    [GITHUB],
    ["one session for all"],
    ["{{ trigger.type }}"],
    ["{{webhook.data.issue.id}}"],
    ["{{event.id}}-{{routine.routine_id}}-{{fire.text}}-{{trigger.id}}"],
    ["{ single }"],
  ])("%s", (template) => expect(sessionKeyFault(keyed(template))).toBeNull());

  it("with session: new there is none", () => {
    expect(sessionKeyFault({ session: "new", session_key: null })).toBeNull();
    expect(sessionKeyFault({ session: "new", session_key: GITHUB })).toMatch(/session: "keyed"/);
  });

  it.each<[string | null, RegExp]>([
    [null, /is needed/],
    ["{{git.number}}", /{{git\.number}}.*trigger, fire, github/],
    ["{{payload}}", /{{payload}}/],
    ["{{}}", /a path begins with/],
    ["{{github}}", /needs a field/],
    ["{{github.}}", /needs a field/],
    ["{{trigger.name}}", /trigger\.type and trigger\.id/],
    ["{{fire.text.id}}", /fire\.text/],
    ["{{github.number", /{{ without }}/],
    ["github.number}}", /}} without {{/],
    ["{{github.number}} }}", /}} without {{/],
  ])("%s can't", (template, fault) => expect(sessionKeyFault(keyed(template))).toMatch(fault));
});

describe("a key", () => {
  const fired = { type: "github", trigger_id: "trg_1", text: null } as const;
  const keyOf = (template: string, of: SourceEvent | null, happened: Parameters<typeof sessionKeyOf>[1] = fired) =>
    sessionKeyOf(keyed(template), happened, of);
  const pull = event(
    "github",
    { pull_request: { number: 7, draft: false, labels: ["a", "b"], body: "" } },
    {
      repository: "acme/app",
      number: 7,
    },
  );

  it("is made of named fields and of paths, as filters see them", () => {
    expect(keyOf(GITHUB, pull)).toEqual({ key: "acme/app#7" });
    expect(keyOf("{{github.pull_request.number}}/{{github.pull_request.draft}}", pull)).toEqual({ key: "7/false" });
    expect(keyOf("{{webhook.data.0.id}}", event("sentry", { data: [{ id: "x y" }] }))).toEqual({ key: "x y" });
    expect(keyOf("{{event.id}}", event("event", { id: "e" }))).toEqual({ key: "e" });
    expect(keyOf("{{routine.routine_id}}", event("routine", { routine_id: "rtn_1" }))).toEqual({ key: "rtn_1" });
  });

  it("is made of the trigger, and of a fire's whole text", () => {
    expect(keyOf("{{trigger.type}}/{{trigger.id}}", pull)).toEqual({ key: "github/trg_1" });
    expect(keyOf("{{fire.text}}", null, { type: "api", trigger_id: null, text: "{{a}} b" })).toEqual({
      key: "{{a}} b",
    });
    expect(keyOf("all", null, { type: "schedule", trigger_id: "trg_2", text: null })).toEqual({ key: "all" });
  });

  it.each([
    ["{{github.issue.number}}", "github.issue.number is missing"],
    ["{{webhook.number}}", "webhook.number is missing"],
    ["{{fire.text}}", "fire.text is missing"],
    ["{{github.pull_request.labels}}", "github.pull_request.labels is not one text or number"],
    ["{{github.pull_request}}", "github.pull_request is not one text or number"],
    ["{{github.pull_request.body}}", "github.pull_request.body is empty"],
  ])("can't be made of %s", (template, fault) => expect(keyOf(`a ${template}`, pull)).toEqual({ fault }));

  it("is no longer than its bound, and is never cut", () => {
    const of = (length: number) => event("event", { id: "x".repeat(length) });
    expect(keyOf("{{event.id}}", of(500))).toEqual({ key: "x".repeat(500) });
    expect(keyOf("{{event.id}}", of(501))).toEqual({ fault: "The key would be longer than 500 characters" });
  });

  it("is not made of text that can't be stored as it is, for two such keys would be one", () => {
    const of = (id: string) => keyOf("{{event.id}}", event("event", { id }));
    expect(of("a\ud800")).toEqual({ fault: "event.id is not well-formed Unicode" });
    expect(of("a\u{1f600}")).toEqual({ key: "a\u{1f600}" });
  });

  it("is none where each run has a session of its own", () => {
    expect(sessionKeyOf({ session: "new", session_key: null }, fired, pull)).toBeUndefined();
  });
});
