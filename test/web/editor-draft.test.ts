/** A routine while it is written: its defaults, what is sent of it, how two changes meet, and the same as JSON. */
import { describe, expect, it } from "vitest";
import { routineInputSchema, routinePatchSchema } from "#protocol/routine.ts";
import { triggerInputSchema } from "#protocol/triggers.ts";
import {
  changedKeys,
  conflictingKeys,
  copyOf,
  DRAFT_KEYS,
  type Draft,
  EMPTY_DRAFT,
  mergedDraft,
  patchOf,
} from "#web/src/editor/draft.ts";
import { lineChanges } from "#web/src/editor/line-changes.ts";
import { jsonOf, readDraft, readJson } from "#web/src/editor/read-draft.ts";
import { TEMPLATES } from "#web/src/editor/templates/all.ts";
import { draftOfTemplate } from "#web/src/editor/templates/template.ts";
import {
  newTrigger,
  RHYTHMS,
  rhythmOf,
  type ScheduleInput,
  withOperator,
  withRhythm,
} from "#web/src/editor/triggers/kinds.ts";

const draft: Draft = { ...EMPTY_DRAFT, name: "One", prompt: "Do it." };

describe("a draft", () => {
  it("begins with what the API takes where nothing is said", () => {
    expect(draft).toEqual(routineInputSchema.parse({ name: "One", prompt: "Do it." }));
    expect(new Set(DRAFT_KEYS)).toEqual(new Set([...Object.keys(routineInputSchema.shape)]));
  });

  it("sends what has changed, and null for a model that was taken out", () => {
    const before: Draft = { ...draft, model: "opus" };
    const { model: _model, ...after } = { ...before, prompt: "Do more." };
    expect(patchOf(before, after)).toEqual({ model: null, prompt: "Do more." });
    expect(routinePatchSchema.safeParse(patchOf(before, after)).success).toBe(true);
    expect(
      changedKeys(draft, {
        ...draft,
        limits: Object.fromEntries(Object.entries(draft.limits).toReversed()) as Draft["limits"],
      }),
    ).toEqual([]);
  });

  it("copied has triggers of its own", () => {
    const original: Draft = { ...draft, triggers: [{ type: "api", id: `trg_${"0".repeat(26)}` }] };
    expect(copyOf(original)).toMatchObject({ name: "One (copy)", triggers: [{ type: "api" }] });
    expect(copyOf(original).triggers[0]).not.toHaveProperty("id");
    expect(copyOf({ ...draft, name: "n".repeat(80) }).name.length).toBeLessThanOrEqual(80);
  });

  it("meets another change of the same routine key by key", () => {
    const mine: Draft = { ...draft, name: "Mine", prompt: "Mine." };
    const theirs: Draft = { ...draft, name: "Theirs", environment: "staging" };
    expect(conflictingKeys(draft, mine, theirs)).toEqual(["name"]);
    expect(mergedDraft(draft, mine, theirs, [])).toEqual({ ...theirs, prompt: "Mine." });
    expect(mergedDraft(draft, mine, theirs, ["name"])).toEqual({ ...theirs, name: "Mine", prompt: "Mine." });
    expect(conflictingKeys(draft, mine, mine)).toEqual([]);
  });
});

describe("as JSON", () => {
  it.each(TEMPLATES.map((template) => [template.slug, template] as const))(
    "%s is the same there and back",
    (_slug, template) => {
      const written = draftOfTemplate(template, "Europe/Paris");
      const read = readJson(jsonOf(written));
      expect("value" in read && readDraft(read.value)).toEqual({ draft: written });
    },
  );

  it.each([
    ["no JSON", "{", /not JSON/],
    ["a list", "[]", /object/],
    ["a key that is none", '{"promt":"x"}', /promt/],
    ["a text where a list is wanted", '{"triggers":"x"}', /triggers must be a list/],
    ["a trigger of no known type", '{"triggers":[{"type":"telepathy"}]}', /triggers\[0\]\.type/],
    ["a repository that is a text", '{"repositories":["x"]}', /repositories\[0\]/],
    ["a connector without a name", '{"connectors":["linear",{"tools":{}}]}', /connectors\[1\] must be a name/],
    ["a number for a name", '{"name":7}', /name must be a text/],
  ])("%s is told in words", (_title, text, fault) => {
    const read = readJson(text);
    const told = "fault" in read ? read : readDraft(read.value);
    expect("fault" in told ? told.fault : "").toMatch(fault);
  });

  it("may leave out what has a default", () => {
    const read = readDraft({
      name: "x",
      prompt: "y",
      triggers: [{ type: "github", event: "push" }],
      limits: { timeout: "1h" },
    });
    expect(read).toMatchObject({ draft: { triggers: [{ filters: [] }], limits: { timeout: "1h", turns: 200 } } });
  });
});

describe("templates", () => {
  it("are twelve, each with a name of its own", () => {
    expect(TEMPLATES).toHaveLength(12);
    expect(new Set(TEMPLATES.map(({ slug }) => slug)).size).toBe(12);
  });

  it.each(TEMPLATES.map((template) => [template.slug, template] as const))(
    "%s is a routine once its repositories are named",
    (_slug, template) => {
      const written = draftOfTemplate(template, "America/New_York");
      const repositories = written.repositories.map((one) => ({ ...one, url: "https://github.com/acme/app" }));
      const checked = routineInputSchema.safeParse({ ...written, repositories });
      expect(checked.error?.issues ?? []).toEqual([]);
      expect(written.repositories.length).toBeGreaterThan(0);
      expect(written.triggers.length).toBeGreaterThan(0);
      expect(written.prompt).toContain("nothing_to_do");
      expect(written.prompt).toContain("Evidence:");
      expect(
        written.triggers.filter((one) => one.type === "schedule").every((one) => one.timezone === "America/New_York"),
      ).toBe(true);
    },
  );
});

describe("triggers", () => {
  it.each(["schedule", "github", "api"] as const)("of type %s are right as they begin", (type) => {
    expect(triggerInputSchema.safeParse(newTrigger(type, "UTC")).success).toBe(true);
  });

  it.each(RHYTHMS.map(({ value }) => value))("of a schedule go over to %s, and are right", (rhythm) => {
    const begun = newTrigger("schedule", "Asia/Tokyo") as ScheduleInput;
    const changed = withRhythm({ ...begun, time: "14:05", jitter: "5m" }, rhythm);
    expect(triggerInputSchema.safeParse(changed).success).toBe(true);
    expect(rhythmOf(changed)).toBe(rhythm);
    expect(changed).toMatchObject({ timezone: "Asia/Tokyo", jitter: "5m" });
  });

  it.each([
    ["equals", "is_one_of", "main", ["main"]],
    ["is_one_of", "equals", ["main", "dev"], "main"],
    ["equals", "exists", "main", true],
    ["exists", "equals", true, ""],
    ["is_one_of", "matches_regex", ["a"], "a"],
  ] as const)("of a filter that %s a value, go over to %s", (from, to, value, wanted) => {
    const filter = { field: "base_branch", operator: from, value } as unknown as Parameters<typeof withOperator>[0];
    expect(withOperator(filter, to)).toEqual({ field: "base_branch", operator: to, value: wanted });
  });
});

describe("lines of two texts", () => {
  it.each([
    ["a\nb\nc", "a\nc", "=a -b =c"],
    ["a", "a\nb", "=a +b"],
    ["a\nb", "x\nb", "-a +x =b"],
    ["", "", "="],
  ])("%j became %j", (before, after, wanted) => {
    const signs = { same: "=", gone: "-", new: "+" };
    expect(
      lineChanges(before, after)
        .map(({ kind, text }) => `${signs[kind]}${text}`)
        .join(" "),
    ).toBe(wanted);
  });

  it("that are very long are shown as gone and come", () => {
    const long = Array.from({ length: 2_000 }, (_one, place) => String(place)).join("\n");
    expect(lineChanges(long, `${long}\nx`)).toHaveLength(4_001);
  });
});
