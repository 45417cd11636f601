/** One sentence becomes the draft of a routine: what the model is told, what is made of its answer, and what is not. */
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { z } from "zod";
import { draftedSchema, draftingSchema } from "#protocol/draft.ts";
import { routineInputSchema } from "#protocol/routine.ts";
import { depsOf } from "#worker/deps.ts";
import { ask, createRoutine, errorOf, read } from "./support.ts";

const KEY = "canary-model-key-of-drafts-0123456789";
const PATH = "/api/v1/routines/draft";
const TEXT = "Each Monday, look for docs that are behind.";
const DRAFT = {
  name: "docs-sync",
  prompt: "Compare the docs with what was merged.",
  repositories: [{ url: "https://github.com/acme/docs" }],
  triggers: [{ type: "schedule", cron: "0 10 * * 1", timezone: "Europe/Paris" }],
};

const requestSchema = z.looseObject({
  model: z.string(),
  max_tokens: z.int(),
  system: z.string(),
  tools: z.array(z.looseObject({ name: z.string(), input_schema: z.looseObject({ properties: z.looseObject({}) }) })),
  tool_choice: z.object({ type: z.literal("tool"), name: z.string() }),
  messages: z.array(z.object({ role: z.enum(["user", "assistant"]), content: z.unknown() })),
});

const found = depsOf(env);
if (!found.ok) throw new Error("the worker is not set up");
const { deps } = found;
const { model } = deps.config;

/** What the model's API gives, one after the other, and what it was asked. */
let answers: (() => Response)[] = [];
let asked: { url: string; key: string | null; body: z.output<typeof requestSchema> }[] = [];

beforeEach(() => {
  answers = [];
  asked = [];
  Object.assign(deps.config, { model: { kind: "anthropic", apiKey: KEY, baseUrl: "http://model.test" } });
  vi.spyOn(globalThis, "fetch").mockImplementation(async (input, init) => {
    const request = new Request(input, init);
    const body = requestSchema.parse(await request.json());
    asked.push({ url: request.url, key: request.headers.get("x-api-key"), body });
    const answer = answers.shift();
    if (answer === undefined) throw new Error("nothing was prepared");
    return answer();
  });
});
afterEach(() => {
  Object.assign(deps.config, { model });
});

const USAGE = { input_tokens: 1_000, output_tokens: 100, cache_read_input_tokens: 0, cache_creation_input_tokens: 0 };
const writes = (input: unknown) => () =>
  Response.json({
    type: "message",
    stop_reason: "tool_use",
    content: [{ type: "tool_use", id: "toolu_1", name: "draft_routine", input }],
    usage: USAGE,
  });
const draft = (body: object = { text: TEXT }) => ask(PATH, { method: "POST", body });

describe("a sentence", () => {
  it("becomes a draft that asks back, by one call with the instance's key, and nothing is saved", async () => {
    const { name } = await createRoutine({
      name: "known-routine",
      repositories: [{ url: "https://github.com/acme/known" }],
    });
    const drafting = await read(draftingSchema, PATH);
    expect(drafting).toMatchObject({ available: true, model: deps.config.defaultModel });
    answers = [writes({ draft: DRAFT, questions: ["Who is told when it fails?"] })];
    const before = await (await ask("/api/v1/routines")).text();
    const drafted = await read(draftedSchema, PATH, { method: "POST", body: { text: TEXT, timezone: "Europe/Paris" } });
    expect(drafted).toEqual({
      draft: routineInputSchema.parse(DRAFT),
      questions: ["Who is told when it fails?"],
      warnings: [],
      model: deps.config.defaultModel,
      usage: { calls: 1, input_tokens: 1_000, output_tokens: 100, cost_usd: expect.any(Number) },
    });
    expect(drafted.usage.cost_usd).toBeGreaterThan(0);
    expect(drafted.usage.cost_usd).toBeLessThan(drafting.max_cost_usd ?? 0);
    expect(await (await ask("/api/v1/routines")).text()).toBe(before);

    const [call] = asked;
    expect(asked).toHaveLength(1);
    expect({ url: call?.url, key: call?.key }).toEqual({ url: "http://model.test/v1/messages", key: KEY });
    expect(call?.body.tool_choice.name).toBe(call?.body.tools[0]?.name);
    expect(Object.keys(call?.body.tools[0]?.input_schema.properties ?? {})).toEqual(["draft", "questions"]);
    expect(call?.body.messages).toEqual([{ role: "user", content: TEXT }]);
    for (const told of [name, "https://github.com/acme/known", "Europe/Paris"]) {
      expect(call?.body.system).toContain(told);
    }
    // It is saved as it was drafted.
    expect((await ask("/api/v1/routines", { method: "POST", body: drafted.draft })).status).toBe(201);
  });

  it("is drafted again with the answers to what was asked", async () => {
    answers = [writes({ draft: DRAFT, questions: [] })];
    const given = [{ question: "Who is told?", answer: "Nobody." }];
    expect((await draft({ text: TEXT, answers: given })).status).toBe(200);
    expect(asked[0]?.body.messages[0]?.content).toBe(`${TEXT}\n\nYou have asked: Who is told?\nI answer: Nobody.`);
  });

  it.each([
    ["no schema fits", { draft: { ...DRAFT, trigger: [] }, questions: [] }, "draft.trigger"],
    ["names what there is not", { draft: { ...DRAFT, environment: "nowhere" }, questions: [] }, "draft.environment"],
    ["is none at all", "not an object", "body"],
  ])("is asked for once more where the first draft %s, with its faults", async (_what, first, fault) => {
    answers = [writes(first), writes({ draft: DRAFT, questions: [] })];
    const drafted = draftedSchema.parse(await (await draft()).json());
    expect(drafted.usage).toMatchObject({ calls: 2, input_tokens: 2_000 });
    expect(JSON.stringify(asked[1]?.body.messages.at(-1))).toContain(fault);
    expect(asked[1]?.body.messages.map(({ role }) => role)).toEqual(["user", "assistant", "user"]);
  });

  it.each<[string, (() => Response)[], number, string]>([
    ["two drafts that can't be saved", [writes({}), writes({ draft: {}, questions: [] })], 422, "draft_unusable"],
    ["a refusal", [() => Response.json({ content: [], stop_reason: "refusal", usage: USAGE })], 422, "draft_unusable"],
    ["what is no answer", [() => Response.json({ hello: 1 })], 422, "draft_refused"],
    ["a key that is not taken", [() => new Response(`bad key ${KEY}`, { status: 401 })], 422, "draft_refused"],
    ["too many requests", [() => new Response("slow down", { status: 429 })], 503, "model_unreachable"],
    ["no answer", [], 503, "model_unreachable"],
  ])("is told of %s, without the key", async (_what, given, status, code) => {
    answers = given;
    const answer = await draft();
    const text = await answer.text();
    expect(text).not.toContain(KEY.slice(0, 16));
    expect([answer.status, JSON.parse(text).error.details.code]).toEqual([status, code]);
  });

  it.each(["none", "demo"])("is refused where the model is %s, and nobody is asked", async (kind) => {
    Object.assign(deps.config, { model: { kind, baseUrl: "http://model.test" } });
    expect(await read(draftingSchema, PATH)).toEqual({ available: false, model: null, max_cost_usd: null });
    const refused = await errorOf(await draft());
    expect(refused).toMatchObject({ status: 422, details: { code: "model_not_configured" } });
    expect(refused.hint).toContain("ANTHROPIC_API_KEY");
    expect(asked).toEqual([]);
  });

  it("costs nothing more where the instance's budget is spent", async () => {
    const budgets = vi.spyOn(deps, "budgets").mockReturnValue({
      ...deps.budgets(),
      list: async () => [{ scope: "instance", monthly_usd: 1, spent_usd: 1 }],
    } as never);
    expect(await errorOf(await draft())).toMatchObject({ status: 422, details: { code: "budget" } });
    budgets.mockRestore();
    expect(asked).toEqual([]);
  });
});
