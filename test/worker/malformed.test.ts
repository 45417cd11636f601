/** More than a hundred malformed requests of different kinds: each is a 4xx that says what is wrong, none is a 5xx. */
import { beforeAll, describe, expect, it } from "vitest";
import { FUTURE_ROUTINE_KEYS } from "#protocol/not-available-yet.ts";
import { type Asked, ask, createRoutine, errorOf, issueToken } from "./support.ts";

const json = { "content-type": "application/json" };
const good = { name: "n", prompt: "p" };
const ID = "0123456789ABCDEFGHJKMNPQRS";

/** `field` is what `details.field` must name; null where no field or header is at fault. */
type Case = [what: string, path: string, asked: Asked, status: number, field: string | null];

function post(body: unknown, headers: Record<string, string> = {}): Asked {
  return { method: "POST", body, headers };
}

const brokenBodies: Case[] = [
  "{",
  "{'a':1}",
  "nul",
  '{"name":}',
  "[1,",
  "\u0000",
  "NaN",
  "<xml/>",
  '"\\u12"',
  "{}{}",
].map((body): Case => [`body ${JSON.stringify(body)}`, "/api/v1/routines", post(body, json), 400, "body"]);

const wrongTypes: Case[] = [
  "text/plain",
  "multipart/form-data; boundary=x",
  "application/xml",
  "json",
  "a/b/c",
  ";",
  "*/*",
].map((type): Case => [`type ${type}`, "/api/v1/routines", post("{}", { "content-type": type }), 415, "Content-Type"]);

const wrongInputs: Case[] = (
  [
    [null, "body"],
    [[], "body"],
    [7, "body"],
    [{}, "name"],
    [{ name: "n" }, "prompt"],
    [{ ...good, name: 7 }, "name"],
    [{ ...good, name: "  " }, "name"],
    [{ ...good, name: "n".repeat(81) }, "name"],
    [{ ...good, prompt: "" }, "prompt"],
    [{ ...good, prompt: "p".repeat(200_001) }, "prompt"],
    [{ ...good, model: "../../etc" }, "model"],
    [{ ...good, model: null }, "model"],
    [{ ...good, repositories: {} }, "repositories"],
    [{ ...good, repositories: ["https://github.com/a/b"] }, "repositories[0]"],
    [{ ...good, repositories: [{ url: "git@github.com:a/b" }] }, "repositories[0].url"],
    [{ ...good, repositories: [{ url: "ssh://git@github.com/a/b" }] }, "repositories[0].url"],
    [{ ...good, repositories: [{ url: "file:///etc/passwd" }] }, "repositories[0].url"],
    [{ ...good, repositories: [{ url: "https://u:p@github.com/a/b" }] }, "repositories[0].url"],
    [{ ...good, repositories: [{ url: "https://github.com/a/b?x=1" }] }, "repositories[0].url"],
    [{ ...good, repositories: [{ url: "http://github.com/a/b" }] }, "repositories[0].url"],
    [
      { ...good, repositories: [{ url: "https://github.com/a/b", branch: "--upload-pack=x" }] },
      "repositories[0].branch",
    ],
    [{ ...good, repositories: [{ url: "https://github.com/a/b", branch: "a..b" }] }, "repositories[0].branch"],
    [{ ...good, repositories: [{ url: "https://github.com/a/b", brunch: "x" }] }, "repositories[0].brunch"],
    [{ ...good, overlap: "pile_up" }, "overlap"],
    [{ ...good, max_concurrent: 0 }, "max_concurrent"],
    [{ ...good, max_concurrent: 1.5 }, "max_concurrent"],
    [{ ...good, max_concurrent: "5" }, "max_concurrent"],
    [{ ...good, max_concurrent: 1e308 }, "max_concurrent"],
    [{ ...good, limits: { timeout: "soon" } }, "limits.timeout"],
    [{ ...good, limits: { timeout: "999999d" } }, "limits.timeout"],
    [{ ...good, limits: { turns: -1 } }, "limits.turns"],
    [{ ...good, limits: null }, "limits"],
    [{ ...good, retry: { max: 11 } }, "retry.max"],
    [{ ...good, retry: { backoff: "5 minutes" } }, "retry.backoff"],
    [{ ...good, tags: ["a"] }, "tags"],
    [{ ...good, tags: { env: 7 } }, "tags.env"],
    [{ ...good, triggers: "api" }, "triggers"],
    [{ ...good, triggers: [{ type: "apy" }] }, "triggers[0].type"],
    [{ ...good, triggers: [{ type: "api", x: 1 }] }, "triggers[0].x"],
    [{ ...good, nmae: "x" }, "nmae"],
    [{ ...good, id: "rtn_x" }, "id"],
    [{ ...good, revision: 7 }, "revision"],
  ] as [unknown, string][]
).map(([body, field]): Case => [`input at ${field}`, "/api/v1/routines", post(body), 400, field]);

const pollution: Case[] = ["__proto__", "constructor", "prototype", "toString"].map(
  (key): Case => [key, "/api/v1/routines", post(`{"name":"n","prompt":"p","${key}":{"x":1}}`, json), 400, key],
);

const notYet: Case[] = [
  ...FUTURE_ROUTINE_KEYS.filter((key) => !key.includes(".")).map(
    (key): Case => [`not yet: ${key}`, "/api/v1/routines", post({ ...good, [key]: "x" }), 400, key],
  ),
];

const strangePaths: Case[] = [
  "/api/v1/routines/",
  "//api/v1/routines",
  "/api//v1/routines",
  "/api/v1/routines/../../../etc/passwd",
  "/api/v1/nothing",
  "/api/v2/routines",
  "/API/V1/ROUTINES",
  "/%00",
  "/%",
  "/%zz%ff",
  "/api/v1/routines%2f",
  "/api/v1/..%2f..%2froutines",
  "/healthz/x",
  "/.env",
  "/.dev.vars",
  "/cdn-cgi/x",
  "/session/x/y/z",
  `/${"a/".repeat(2_000)}`,
].map((path): Case => [`path ${path.slice(0, 40)}`, path, {}, 404, null]);

const wrongIds: Case[] = [
  "x",
  "%00",
  "%",
  "%F0%9F%92%A5",
  "..%2f..",
  "%2e%2e%2f",
  `rtn_${ID.toLowerCase()}`,
  `rtn_${ID}0`,
  `rtn_${ID.slice(1)}`,
  `rtn_${ID.slice(1)}%0a`,
  `run_${ID}`,
  `session_${ID}`,
  `rtn_${"I".repeat(26)}`,
  "a".repeat(5_000),
  "__proto__",
  "'; drop table routines; --",
].map((id): Case => [`routine ${id.slice(0, 40)}`, `/api/v1/routines/${id}`, {}, 404, "id"]);

const wrongIdsElsewhere: Case[] = [
  ["a run", "/api/v1/runs/x", {}, 404, "id"],
  ["a routine as a run", `/api/v1/runs/rtn_${ID}`, {}, 404, "id"],
  ["cancel", "/api/v1/runs/x/cancel", { method: "POST" }, 404, "id"],
  ["a session", "/api/v1/sessions/x", {}, 404, "id"],
  ["events", "/api/v1/sessions/x/events", {}, 404, "id"],
  ["events as a stream", "/api/v1/sessions/x/events", { headers: { accept: "text/event-stream" } }, 404, "id"],
  ["live", "/api/v1/sessions/x/live", { headers: { upgrade: "websocket" } }, 404, "id"],
  ["a ticket", "/api/v1/sessions/x/ticket", { method: "POST" }, 404, "id"],
  ["fire", "/v1/claude_code/routines/x/fire", { method: "POST" }, 404, "id"],
  [
    "fire of the real product's id",
    "/v1/claude_code/routines/trig_01ABCDEFGHJKLMNOPQRSTUVW/fire",
    { method: "POST" },
    404,
    "id",
  ],
  ["revisions", "/api/v1/routines/x/revisions", {}, 404, "id"],
];

const unknownIds: Case[] = [
  [`/api/v1/routines/rtn_${ID}`, {}],
  [`/api/v1/routines/rtn_${ID}`, { method: "PATCH", body: { name: "x" } }],
  [`/api/v1/routines/rtn_${ID}`, { method: "DELETE" }],
  [`/api/v1/routines/rtn_${ID}/pause`, { method: "POST" }],
  [`/api/v1/routines/rtn_${ID}/run`, { method: "POST" }],
  [`/api/v1/routines/rtn_${ID}/token`, { method: "POST" }],
  [`/api/v1/routines/rtn_${ID}/occurrences`, {}],
  [`/api/v1/runs/run_${ID}`, {}],
  [`/api/v1/runs/run_${ID}/cancel`, { method: "POST" }],
  [`/api/v1/sessions/session_${ID}`, {}],
  [`/api/v1/sessions/session_${ID}/events`, {}],
  [`/api/v1/sessions/session_${ID}/events`, { headers: { accept: "text/event-stream" } }],
  [`/api/v1/sessions/session_${ID}/ticket`, { method: "POST" }],
  [`/v1/claude_code/routines/rtn_${ID}/fire`, { method: "POST" }],
].map(([path, asked]): Case => [`unknown ${String(path)}`, String(path), asked as Asked, 404, null]);

const wrongQueries: Case[] = [
  ...["0", "-1", "201", "1.5", "x", "", "1e2", "0x10", " 5", "99999999999999999999"].map(
    (limit): Case => [`limit ${limit}`, `/api/v1/routines?limit=${encodeURIComponent(limit)}`, {}, 400, "limit"],
  ),
  ...["x", "", "rtn_", `run_${ID}`, "%00", "' or 1=1"].map(
    (cursor): Case => [`cursor ${cursor}`, `/api/v1/routines?cursor=${encodeURIComponent(cursor)}`, {}, 400, "cursor"],
  ),
  ["status", "/api/v1/runs?status=done", {}, 400, "status"],
  ["status of a prototype", "/api/v1/runs?status=constructor", {}, 400, "status"],
  ["routine filter", "/api/v1/runs?routine=x", {}, 400, "routine"],
  ["after", `/api/v1/sessions/session_${ID}/events?after=-1`, {}, 400, "after"],
  ["after that is no number", `/api/v1/sessions/session_${ID}/events?after=x`, {}, 400, "after"],
  ["limit of events", `/api/v1/sessions/session_${ID}/events?limit=1001`, {}, 400, "limit"],
  ["live after", `/api/v1/sessions/session_${ID}/live?after=x`, { headers: { upgrade: "websocket" } }, 400, "after"],
  ["live without an upgrade", `/api/v1/sessions/session_${ID}/live`, {}, 400, "Upgrade"],
  ["live with another upgrade", `/api/v1/sessions/session_${ID}/live`, { headers: { upgrade: "h2c" } }, 400, "Upgrade"],
  [
    "Last-Event-ID",
    `/api/v1/sessions/session_${ID}/events`,
    { headers: { accept: "text/event-stream", "last-event-id": "x" } },
    400,
    "Last-Event-ID",
  ],
];

const wrongMethods: Case[] = [
  ["/api/v1/routines", "PUT"],
  ["/api/v1/routines", "DELETE"],
  [`/api/v1/routines/rtn_${ID}`, "POST"],
  [`/api/v1/runs/run_${ID}/cancel`, "GET"],
  [`/v1/claude_code/routines/rtn_${ID}/fire`, "GET"],
  ["/healthz", "POST"],
  ["/openapi.json", "DELETE"],
  ["/", "POST"],
  ["/api/v1/routines", "PROPFIND"],
].map(([path = "", method = ""]): Case => [`${method} ${path}`, path, { method }, 404, null]);

const strangeHeaders: Case[] = [
  [
    "a length that lies high",
    "/api/v1/routines",
    post("{}", { ...json, "content-length": "9".repeat(30) }),
    413,
    "body",
  ],
  [
    "gzip that is none",
    "/api/v1/routines",
    post("{}", { ...json, "content-encoding": "gzip" }),
    415,
    "Content-Encoding",
  ],
  ["a huge body", "/api/v1/routines", post(" ".repeat(3_000_000), json), 413, "body"],
  ["a huge key", "/api/v1/routines", post({ ...good, ["k".repeat(500_000)]: 1 }), 400, null],
  [
    "many keys",
    "/api/v1/routines",
    post(Object.fromEntries(Array.from({ length: 30_000 }, (_, n) => [`k${n}`, n]))),
    400,
    null,
  ],
  ["deep nesting", "/api/v1/routines", post(`${"[".repeat(500_000)}${"]".repeat(500_000)}`, json), 400, "body"],
  [
    "deep nesting inside",
    "/api/v1/routines",
    post(`{"name":"n","prompt":"p","tags":{"a":${"[".repeat(200_000)}${"]".repeat(200_000)}}}`, json),
    400,
    "body",
  ],
  [
    "long headers",
    "/api/v1/nothing",
    { headers: { accept: "x".repeat(8_000), "accept-language": "\u00ff".repeat(100) } },
    404,
    null,
  ],
  ["a runner without its token", "/runner/pool", { headers: { upgrade: "websocket" } }, 401, "Authorization"],
  [
    "a link without its token",
    `/runner/runs/run_${ID}/link`,
    { headers: { upgrade: "websocket" } },
    401,
    "Authorization",
  ],
  [
    "a link with a token of that look",
    `/runner/runs/run_${ID}/link`,
    { token: `rvl_link_run_${ID}_1_${"0".repeat(64)}`, headers: { upgrade: "websocket" } },
    401,
    "Authorization",
  ],
  ["a proxy without its token", `/proxy/run_${ID}/model/v1/messages`, post({}), 401, "Authorization"],
  ["a proxy path that is none", `/proxy/run_${ID}/model/v1/files`, {}, 401, "Authorization"],
];

const perRoutine: [what: string, suffix: string, asked: Asked, status: number, field: string | null][] = [
  ["an empty change", "", { method: "PATCH", body: {} }, 400, "body"],
  ["a change of nothing but the revision", "", { method: "PATCH", body: { if_revision: 1 } }, 400, "body"],
  ["a change of what can't be changed", "", { method: "PATCH", body: { id: "x" } }, 400, "id"],
  ["a revision that is none", "", { method: "PATCH", body: { name: "x", if_revision: 0 } }, 400, "if_revision"],
  ["a change with nothing", "", { method: "PATCH" }, 400, "body"],
  ["a reason that is empty", "/pause", post({ reason: "" }), 400, "reason"],
  ["a reason that is no text", "/pause", post({ reason: {} }), 400, "reason"],
  ["a key that pause has not", "/pause", post({ reasn: "x" }), 400, "reasn"],
  ["run now with too much", "/run", post({ text: "x".repeat(65_537) }), 400, "text"],
  ["run now with another key", "/run", post({ txt: "x" }), 400, "txt"],
  ["run now as text", "/run", post("x", { "content-type": "text/plain" }), 415, "Content-Type"],
  ["a cursor of another list", "/runs?cursor=occ_0123456789ABCDEFGHJKMNPQRS", {}, 400, "cursor"],
  ["a cursor that is no revision", "/revisions?cursor=x", {}, 400, "cursor"],
];

const cases: Case[] = [
  ...brokenBodies,
  ...wrongTypes,
  ...wrongInputs,
  ...pollution,
  ...notYet,
  ...strangePaths,
  ...wrongIds,
  ...wrongIdsElsewhere,
  ...unknownIds,
  ...wrongQueries,
  ...wrongMethods,
  ...strangeHeaders,
];

async function expectRefusal(path: string, asked: Asked, status: number, field: string | null): Promise<void> {
  const error = await errorOf(await ask(path, asked));
  expect(error.status).toBe(status);
  if (field !== null) expect(error.details?.field).toBe(field);
  expect(error.message).not.toBe("");
  expect(error.requestId).toMatch(/^req_/);
  expect(JSON.stringify(error)).not.toMatch(/\bat .+:[0-9]+:[0-9]+|ZodError|TypeError|RangeError|D1_ERROR/);
}

describe("a malformed request", () => {
  it("comes in more than a hundred kinds", () => {
    expect(new Set(cases.map(([, path, asked]) => JSON.stringify([path, asked]))).size).toBeGreaterThanOrEqual(100);
  });

  it.each(cases)("%s is refused", async (_what, path, asked, status, field) => {
    await expectRefusal(path, asked, status, field);
  });
});

describe("a malformed request about a routine that is there", () => {
  let id = "";
  let token = "";
  beforeAll(async () => {
    id = (await createRoutine()).id;
    token = await issueToken(id);
  });

  it.each(perRoutine)("%s is refused", async (_what, suffix, asked, status, field) => {
    await expectRefusal(`/api/v1/routines/${id}${suffix}`, asked, status, field);
  });

  it("leaves the routine as it was, and its token good", async () => {
    const routine = await ask(`/api/v1/routines/${id}`);
    expect(await routine.json()).toMatchObject({ revision: 1, status: "active" });
    expect((await ask(`/v1/claude_code/routines/${id}/fire`, { method: "POST", token })).status).toBe(200);
  });
});
