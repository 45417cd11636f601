/** The rules about bodies, as tables: faults by name, nearest keys, what is not here yet, repository addresses. */
import { describe, expect, it } from "vitest";
import { FUTURE_ROUTINE_KEYS } from "#protocol/not-available-yet.ts";
import { routineInputSchema } from "#protocol/routine.ts";
import { nearestKey } from "#rules/routine/nearest-key.ts";
import { futureKeyRefusal } from "#rules/routine/not-available-yet.ts";
import { isLoopback, repositoriesRefusal } from "#rules/routine/repository-address.ts";
import { schemaRefusal } from "#rules/routine/schema-faults.ts";
import { isNestedDeeper } from "#worker/http/nesting.ts";
import { BODY_LIMIT_BYTES, readJson } from "#worker/http/read-json.ts";

const KEYS = Object.keys(routineInputSchema.shape);

describe("the nearest known key", () => {
  it.each([
    ["nmae", "name"],
    ["Prompt", "prompt"],
    ["repositorys", "repositories"],
    ["repos", null],
    ["trigger", "triggers"],
    ["max_concurrency", "max_concurrent"],
    ["maxConcurrent", "max_concurrent"],
    ["__proto__", null],
    ["", null],
    ["x".repeat(101), null],
  ])("of %j is %j", (given, nearest) => {
    expect(nearestKey(given, KEYS)).toBe(nearest);
  });
});

describe("a schema's faults", () => {
  const good = { name: "n", prompt: "p" };
  it.each([
    [{ prompt: "p" }, "name", "is required"],
    [{ ...good, nmae: 1 }, "nmae", 'is not a known key; did you mean "name"?'],
    [{ ...good, limits: { turn: 5 } }, "limits.turn", 'is not a known key; did you mean "turns"?'],
    [{ ...good, repositories: [{ ulr: "https://a.b/c" }] }, "repositories[0].url", "is required"],
    [{ ...good, repositories: [{ url: "https://u:p@a.b/c" }] }, "repositories[0].url", "must not contain a user name"],
    [{ ...good, triggers: [{ type: "apy" }] }, "triggers[0].type", 'did you mean "api"?'],
    [{ ...good, triggers: [{ type: "schedule", crno: "* * * * *" }] }, "triggers[0].crno", 'did you mean "cron"?'],
    [{ ...good, triggers: [{ type: "schedule" }] }, "triggers[0]", "exactly one of cron, every and at"],
    [{ ...good, triggers: [{ type: "github", event: "push", filter: [] }] }, "triggers[0].filter", "filters"],
    [{ ...good, max_concurrent: 0 }, "max_concurrent", "must be at least 1, not 0"],
    [{ ...good, retry: { backoff: "5 minutes" } }, "retry.backoff", "must be a number and a unit"],
    [{ ...good, zzzzzzzzzzzz: 1 }, "zzzzzzzzzzzz", "known keys: name, prompt"],
    [[], "body", "must be an object"],
    [null, "body", "must be an object"],
  ])("of %j name %s", (input, field, message) => {
    const parsed = routineInputSchema.safeParse(input);
    if (parsed.success) throw new Error("the schema took it");
    const refusal = schemaRefusal(routineInputSchema, input, parsed.error);
    expect(refusal).toMatchObject({ code: "invalid_request", field });
    expect(refusal.message).toContain(`${field}: `);
    expect(refusal.issues?.[0]?.message).toContain(message);
  });

  it("are bounded however much is wrong", () => {
    const input: Record<string, unknown> = { ...good };
    for (let count = 0; count < 10_000; count += 1) input[`${"k".repeat(90)}${count}`] = count;
    const parsed = routineInputSchema.safeParse(input);
    if (parsed.success) throw new Error("the schema took it");
    expect(schemaRefusal(routineInputSchema, input, parsed.error).issues).toHaveLength(50);
  });
});

describe("what is described but not here yet", () => {
  function bodyWith(pattern: string): object {
    const [first = "", second] = pattern.split(".");
    const key = first.replace("[]", "");
    if (second === undefined) return { [key]: "x" };
    return { [key]: first.endsWith("[]") ? [{}, { [second]: "x" }] : { [second]: "x" } };
  }
  it.each(FUTURE_ROUTINE_KEYS.map((pattern) => [pattern, pattern.replace("[]", "[1]")]))(
    "%s is refused by its name",
    (pattern, field) => {
      const refusal = futureKeyRefusal(bodyWith(pattern));
      expect(refusal).toMatchObject({ code: "not_available_yet", field });
      expect(refusal?.message).toContain(field);
    },
  );
  it.each([[null], [undefined], ["text"], [[]], [{}], [{ name: "n", limits: { turns: 3 } }], [{ triggers: "api" }]])(
    "%j is not refused for that",
    (body) => {
      expect(futureKeyRefusal(body)).toBeNull();
    },
  );
});

describe("a repository's address", () => {
  it.each([
    ["https://github.com/acme/app", false, true],
    ["https://github.com/acme/app", true, true],
    ["http://github.com/acme/app", true, false],
    ["http://127.0.0.1:9000/demo.git", true, true],
    ["http://127.0.0.1:9000/demo.git", false, false],
    ["http://localhost/demo.git", true, true],
    ["http://git.localhost/demo.git", true, true],
    ["http://[::1]:9000/demo.git", true, true],
    ["http://127.0.0.1.evil.example/demo.git", true, false],
    ["http://localhost.evil.example/demo.git", true, false],
    ["http://10.0.0.1/demo.git", true, false],
    ["http://2130706433/demo.git", true, true],
  ])("%s, local instance %j: accepted %j", (url, isLocal, isAccepted) => {
    const refusal = repositoriesRefusal([{ url: "https://a.example/b" }, { url }], isLocal);
    if (isAccepted) expect(refusal).toBeNull();
    else expect(refusal).toMatchObject({ code: "invalid_request", field: "repositories[1].url" });
  });

  it("is told of with what was found, and so are its neighbours", () => {
    const urls = ["http://a.example/b", "https://a.example/b", "http://c.example/d"].map((url) => ({ url }));
    expect(repositoriesRefusal(urls, false)?.issues).toEqual([
      { field: "repositories[0].url", message: 'must be an https address, not "http://a.example/b"' },
      { field: "repositories[2].url", message: 'must be an https address, not "http://c.example/d"' },
    ]);
  });

  it("is loopback by its host name alone", () => {
    expect(isLoopback("127.9.8.7")).toBe(true);
    expect(isLoopback("localhosts")).toBe(false);
  });
});

describe("nesting", () => {
  it.each([
    ["", 0, false],
    ["7", 0, false],
    ["[]", 0, true],
    ["[]", 1, false],
    ['{"a":[{}]}', 2, true],
    ['{"a":[{}]}', 3, false],
    ["[[],[],[],[]]", 2, false],
    ['"[[[["', 0, false],
    ['"\\"[[[["', 0, false],
    ['"\\\\"[', 0, true],
  ])("of %s is deeper than %i: %j", (json, limit, isDeeper) => {
    expect(isNestedDeeper(json, limit)).toBe(isDeeper);
  });
});

describe("reading a body", () => {
  const json = { "content-type": "application/json" };
  function post(body: BodyInit | null, headers: Record<string, string> = {}): Request {
    return new Request("http://x/", { method: "POST", body, headers });
  }
  it.each([
    ["nothing at all", post(null), { ok: true, value: undefined }],
    ["nothing, of any type", post("", { "content-type": "text/plain" }), { ok: true, value: undefined }],
    ["an object", post('{"a":1}', json), { ok: true, value: { a: 1 } }],
    ["a byte order mark", post('\ufeff{"a":1}', json), { ok: true, value: { a: 1 } }],
    ["with a charset", post("{}", { "content-type": "application/json; charset=UTF-8" }), { ok: true, value: {} }],
    ["of a JSON kind", post("{}", { "content-type": "application/vnd.acme+json" }), { ok: true, value: {} }],
    ["a key twice", post('{"a":1,"a":2}', json), { ok: true, value: { a: 2 } }],
    ["cut short", post('{"a":', json), { ok: false, refusal: { code: "invalid_json", field: "body" } }],
    ["no UTF-8", post(new Uint8Array([0x22, 0xff, 0x22]), json), { ok: false, refusal: { code: "invalid_json" } }],
    [
      "of another type",
      post("{}", { "content-type": "text/plain" }),
      { ok: false, refusal: { field: "Content-Type" } },
    ],
    ["without a type", post(new Uint8Array([0x7b, 0x7d])), { ok: false, refusal: { code: "content_type_refused" } }],
    [
      "in another charset",
      post("{}", { "content-type": "application/json;charset=utf-16" }),
      { ok: false, refusal: { field: "Content-Type" } },
    ],
    [
      "compressed",
      post("{}", { ...json, "content-encoding": "gzip" }),
      { ok: false, refusal: { field: "Content-Encoding" } },
    ],
    [
      "too large by what it says",
      post("{}", { ...json, "content-length": "99999999999999999999" }),
      { ok: false, refusal: { code: "body_too_large", limit_bytes: BODY_LIMIT_BYTES } },
    ],
    [
      "too large by what it is",
      post(" ".repeat(BODY_LIMIT_BYTES + 1), json),
      { ok: false, refusal: { code: "body_too_large" } },
    ],
  ])("%s", async (_what, request, expected) => {
    expect(await readJson(request)).toMatchObject(expected);
  });

  it("stops as soon as there is too much, without reading on", async () => {
    let given = 0;
    const endless = new ReadableStream<Uint8Array>({
      pull: (controller) => {
        given += 1;
        controller.enqueue(new Uint8Array(65_536));
      },
    });
    const read = await readJson(post(endless, json));
    expect(read).toMatchObject({ ok: false, refusal: { code: "body_too_large" } });
    expect(given).toBeLessThan(40);
  });

  it("takes names that mean something to JavaScript as plain keys", async () => {
    const read = await readJson(post('{"__proto__":{"isAdmin":true},"constructor":{"prototype":{"x":1}}}', json));
    expect(read.ok).toBe(true);
    expect(Reflect.get({}, "isAdmin")).toBeUndefined();
    expect(Reflect.get({}, "x")).toBeUndefined();
  });
});
