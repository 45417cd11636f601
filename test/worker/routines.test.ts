/** The owner keeps routines: creates, lists, changes, pauses, deletes; and what the page of the API says of it. */
import { runInDurableObject } from "cloudflare:test";
import { env, exports } from "cloudflare:workers";
import { describe, expect, it, vi } from "vitest";
import { z } from "zod";
import { pageSchema } from "#protocol/api.ts";
import { admissionSchema, occurrenceSchema } from "#protocol/occurrence.ts";
import { revisionSchema, routineSchema } from "#protocol/routine.ts";
import { listedRunSchema, runSchema } from "#protocol/run.ts";
import { sessionSchema } from "#protocol/session.ts";
import type { SignIn } from "#protocol/sign-in.ts";
import { asBrowser, signIn } from "#test/support/browser.ts";
import { ownerOf } from "#test/support/objects.ts";
import { ask, createRoutine, errorOf, issueToken, read } from "./support.ts";

describe("a routine", () => {
  it("is listed though it was written before its triggers had a status", async () => {
    const { id } = await createRoutine({ name: "early", triggers: [{ type: "api" }] });
    const strip =
      "UPDATE routines SET doc = json_remove(doc, '$.triggers[0].status', '$.triggers[0].endpoint') WHERE id = ?";
    await env.DB.prepare(strip).bind(id).run();
    const listed = await read(pageSchema(routineSchema), "/api/v1/routines?limit=200");
    expect(listed.data.find((one) => one.id === id)?.triggers).toMatchObject([{ type: "api", status: "active" }]);
  });

  it("is created, read, listed, changed and deleted", async () => {
    const made = await createRoutine({ name: "first", repositories: [{ url: "https://github.com/acme/app" }] });
    const path = `/api/v1/routines/${made.id}`;
    expect(made).toMatchObject({ name: "first", revision: 1, status: "active", has_token: false, max_concurrent: 5 });
    expect(await read(routineSchema, path)).toEqual(made);
    const changed = await read(routineSchema, path, { method: "PATCH", body: { name: "second" } });
    expect(changed).toMatchObject({ name: "second", revision: 2 });
    const revisions = await read(pageSchema(revisionSchema), `${path}/revisions`);
    expect(revisions.data.map(({ revision }) => revision)).toEqual([2, 1]);
    const stale = await ask(path, { method: "PATCH", body: { name: "third", if_revision: 1 } });
    expect(await errorOf(stale)).toMatchObject({ status: 409, details: { code: "revision_conflict" } });
    expect((await ask(path, { method: "DELETE" })).status).toBe(204);
    expect(await errorOf(await ask(path))).toMatchObject({ status: 404, type: "not_found_error" });
    const listed = await read(pageSchema(routineSchema), "/api/v1/routines?limit=200");
    expect(listed.data.map(({ id }) => id)).not.toContain(made.id);
  });

  it("is created once for a key, however often and however close together it is asked for", async () => {
    const body = { name: "once", prompt: "Say hello." };
    const create = (given: object, key: string) =>
      ask("/api/v1/routines", { method: "POST", body: given, headers: { "idempotency-key": key } });
    const key = crypto.randomUUID();
    const answers = await Promise.all([create(body, key), create({ ...body, triggers: [] }, key), create(body, key)]);
    const made = await Promise.all(answers.map(async (answer) => routineSchema.parse(await answer.json())));
    expect(answers.map(({ status }) => status)).toEqual([201, 201, 201]);
    expect(new Set(made.map(({ id }) => id)).size).toBe(1);
    const listed = await read(pageSchema(routineSchema), "/api/v1/routines?search=once");
    expect(listed.data.filter(({ name }) => name === "once")).toHaveLength(1);

    expect(await errorOf(await create({ ...body, name: "other" }, key))).toMatchObject({
      status: 422,
      details: { code: "idempotency_key_reused", field: "Idempotency-Key" },
    });
    expect(await errorOf(await create(body, "x".repeat(256)))).toMatchObject({ status: 400 });

    const [id = ""] = made.map((routine) => routine.id);
    await ask(`/api/v1/routines/${id}`, { method: "PATCH", body: { name: "changed" } });
    expect(await (await create(body, key)).json()).toMatchObject({ id, name: "changed", revision: 2 });
    await ask(`/api/v1/routines/${id}`, { method: "DELETE" });
    const anew = routineSchema.parse(await (await create(body, key)).json());
    expect(anew.id).not.toBe(id);
    expect(routineSchema.parse(await (await create(body, key)).json()).id).toBe(anew.id);

    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 25 * 3_600_000 });
    try {
      expect(routineSchema.parse(await (await create(body, key)).json()).id).not.toBe(anew.id);
    } finally {
      vi.useRealTimers();
    }
  });

  it("is taken back as it was read, by itself and from the list, and refused what a change can't set", async () => {
    const triggers = [
      { type: "schedule", cron: "0 9 * * 1" },
      { type: "github", event: "push" },
    ];
    const repositories = [{ url: "https://github.com/acme/app" }];
    const made = await createRoutine({ name: "back", repositories, triggers });
    const path = `/api/v1/routines/${made.id}`;
    const whole = await read(z.record(z.string(), z.unknown()), path);
    const back = await read(routineSchema, path, { method: "PATCH", body: { ...whole, name: "forth" } });
    expect(back).toEqual({ ...made, name: "forth", revision: 2, updated_at: back.updated_at });
    const stale = await ask(path, { method: "PATCH", body: { ...whole, name: "late" } });
    expect(await errorOf(stale)).toMatchObject({ status: 409, details: { code: "revision_conflict" } });
    const listed = await read(pageSchema(z.looseObject({ id: z.string() })), "/api/v1/routines?limit=200");
    const inList = listed.data.find(({ id }) => id === made.id);
    const again = await read(routineSchema, path, { method: "PATCH", body: { ...inList, prompt: "Say more." } });
    expect(again).toMatchObject({ prompt: "Say more.", revision: 3 });
    const foreign = { ...again, status: "paused", created_at: "2020-01-01T00:00:00.000Z" };
    expect(await errorOf(await ask(path, { method: "PATCH", body: foreign }))).toMatchObject({
      status: 400,
      details: {
        code: "invalid_request",
        field: "status",
        issues: [
          {
            field: "status",
            message: 'can\'t be set by a change, and is "active": POST …/pause and …/resume change it',
          },
          { field: "created_at" },
        ],
      },
    });
  });

  it("has revisions that tell who made them, whichever way they came, also those from before it was kept", async () => {
    const owner = { kind: "owner", id: null, name: "owner" };
    const { id } = await createRoutine();
    const path = `/api/v1/routines/${id}`;
    const browser = await signIn();
    const mine = await asBrowser("GET", "/api/v1/sign-ins", browser);
    const signIns = (await mine.json<{ data: SignIn[] }>()).data;
    const web = { kind: "web", id: signIns.find(({ current }) => current)?.id, name: "browser" };
    const body = JSON.stringify({ name: "second" });
    const headers = { ...browser, "content-type": "application/json" };
    expect(
      (await exports.default.fetch(`http://reveille.test${path}`, { method: "PATCH", headers, body })).status,
    ).toBe(200);
    await read(routineSchema, path, { method: "PATCH", body: { name: "third" } });
    const listed = async () => (await read(pageSchema(revisionSchema), `${path}/revisions`)).data;
    expect((await listed()).map(({ actor, by }) => ({ actor, by }))).toEqual([
      { actor: owner, by: "owner" },
      { actor: web, by: "browser" },
      { actor: owner, by: "owner" },
    ]);
    // As landed versions, which know nothing of these columns, write it.
    await runInDurableObject(ownerOf(id), (_object, { storage }) =>
      storage.sql.exec(
        "INSERT INTO revisions (revision, at, by, definition) SELECT 4, at, by, definition FROM revisions WHERE revision = 1",
      ),
    );
    expect((await listed())[0]).toMatchObject({ revision: 4, actor: owner, by: "owner" });
  });

  it("is listed newest first, page by page, each once", async () => {
    const made: string[] = [];
    for (let count = 0; count < 5; count += 1) made.push((await createRoutine()).id);
    const seen: string[] = [];
    let cursor: string | null = "";
    while (cursor !== null) {
      const from: string = cursor === "" ? "" : `&cursor=${cursor}`;
      const page = await read(pageSchema(routineSchema), `/api/v1/routines?limit=2${from}`);
      expect(page.data.length).toBeLessThanOrEqual(2);
      seen.push(...page.data.map(({ id }) => id));
      cursor = page.next_cursor;
    }
    expect(seen).toEqual([...seen].sort().reverse());
    expect(seen.filter((id) => made.includes(id))).toEqual(made.reverse());
  });

  it("is paused with a reason and resumed; run now works meanwhile", async () => {
    const { id } = await createRoutine();
    const token = await issueToken(id);
    const paused = await read(routineSchema, `/api/v1/routines/${id}/pause`, {
      method: "POST",
      body: { reason: "rest" },
    });
    expect(paused).toMatchObject({ status: "paused", paused_reason: "rest", paused_by: "person" });
    const fired = await ask(`/v1/claude_code/routines/${id}/fire`, { method: "POST", token });
    expect(await errorOf(fired)).toMatchObject({ status: 400, details: { code: "routine_paused" } });
    const started = await read(admissionSchema, `/api/v1/routines/${id}/run`, { method: "POST", body: { text: "go" } });
    const run = await read(runSchema, `/api/v1/runs/${started.run_id}`);
    expect(run.trigger).toMatchObject({ type: "manual", occurrence_id: started.occurrence_id });
    expect(await read(sessionSchema, `/api/v1/sessions/${started.session_id}`)).toMatchObject({ routine_id: id });
    const resumed = await read(routineSchema, `/api/v1/routines/${id}/resume`, { method: "POST" });
    expect(resumed).toMatchObject({ status: "active", paused_reason: null, paused_by: null });
    const occurrences = await read(pageSchema(occurrenceSchema), `/api/v1/routines/${id}/occurrences`);
    expect(occurrences.data.map(({ outcome, reason }) => ({ outcome, reason }))).toEqual([
      { outcome: "started", reason: "admitted" },
      { outcome: "refused", reason: "routine_paused" },
    ]);
    for (const list of ["runs", "sessions"]) {
      const page = await read(pageSchema(z.looseObject({ id: z.string() })), `/api/v1/routines/${id}/${list}`);
      expect(page.data).toHaveLength(1);
    }
  });

  it("has one token, which a new one revokes", async () => {
    const { id } = await createRoutine();
    const old = await issueToken(id);
    const token = await issueToken(id);
    const fire = (bearer: string | null) =>
      ask(`/v1/claude_code/routines/${id}/fire`, { method: "POST", token: bearer });
    expect((await fire(old)).status).toBe(401);
    expect((await fire(token)).status).toBe(200);
    expect(await read(routineSchema, `/api/v1/routines/${id}`)).toMatchObject({ has_token: true });
    expect((await ask(`/api/v1/routines/${id}/token`, { method: "DELETE" })).status).toBe(204);
    expect((await fire(token)).status).toBe(401);
  });

  it("shows its runs across routines, by routine and by status", async () => {
    const { id } = await createRoutine();
    const { run_id } = await read(admissionSchema, `/api/v1/routines/${id}/run`, { method: "POST" });
    const canceled = await read(runSchema, `/api/v1/runs/${run_id}/cancel`, { method: "POST" });
    expect(canceled.cancel_requested_at).not.toBeNull();
    const again = await ask(`/api/v1/runs/${run_id}/cancel`, { method: "POST" });
    expect([200, 409]).toContain(again.status);
    const listed = () => read(pageSchema(listedRunSchema), `/api/v1/runs?routine=${id}`);
    await vi.waitUntil(async () => (await listed()).data.length === 1);
    expect((await listed()).data).toMatchObject([{ id: run_id, routine_id: id }]);
    const none = await read(pageSchema(listedRunSchema), `/api/v1/runs?routine=${id}&status=timed_out`);
    expect(none).toEqual({ data: [], next_cursor: null });
  });
});

describe("the instance", () => {
  it("tells that it is well without a token", async () => {
    const answer = await ask("/healthz", { token: null });
    expect(await answer.json()).toEqual({ ok: true, version: "0.1.0" });
  });

  it("sets headers that keep browsers narrow, and a request id, on every answer", async () => {
    for (const path of ["/healthz", "/", "/docs", "/openapi.json", "/nothing", "/api/v1/routines"]) {
      const { headers } = await ask(path, { token: null });
      expect(headers.get("request-id")).toMatch(/^req_[0-9a-f]{32}$/);
      expect(headers.get("content-security-policy")).toContain("default-src 'none'");
      expect(headers.get("content-security-policy")).not.toContain("unsafe");
      expect(headers.get("x-content-type-options")).toBe("nosniff");
    }
  });

  it("describes every path that it serves, with references that lead somewhere", async () => {
    const document = await read(
      z.looseObject({
        openapi: z.literal("3.1.0"),
        paths: z.record(z.string(), z.record(z.string(), z.unknown())),
        components: z.object({ schemas: z.record(z.string(), z.unknown()) }).loose(),
      }),
      "/openapi.json",
      { token: null },
    );
    const paths = Object.keys(document.paths);
    expect(paths).toContain("/v1/claude_code/routines/{id}/fire");
    expect(paths).toContain("/api/v1/sessions/{id}/live");
    const references = [...JSON.stringify(document).matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g)];
    expect(references.length).toBeGreaterThan(50);
    for (const [, id = ""] of references) expect(Object.keys(document.components.schemas)).toContain(id);
    for (const path of paths) {
      const answer = await ask(path.replaceAll(/\{[a-z_]+\}/g, "x"), { method: "OPTIONS", token: null });
      expect(answer.status).toBe(204);
      const described = Object.keys(document.paths[path] ?? {}).map((method) => method.toUpperCase());
      expect(answer.headers.get("allow")?.split(", ").sort()).toEqual(described.sort());
    }
  });

  it("describes what takes in webhooks as open to everybody, and their answers by schemas", async () => {
    const operation = z.object({
      tags: z.tuple([z.literal("Webhooks")]),
      summary: z.string().min(10),
      security: z.array(z.record(z.string(), z.array(z.string()))),
      responses: z.record(
        z.string(),
        z.looseObject({ content: z.record(z.string(), z.object({ schema: z.looseObject({}) })).optional() }),
      ),
    });
    const inbound = z.object({ post: operation.extend({ security: z.tuple([]) }) });
    const { paths } = await read(z.looseObject({ paths: z.record(z.string(), z.unknown()) }), "/openapi.json", {
      token: null,
    });
    for (const path of ["/webhooks/github", "/webhooks/{source}/{endpoint_id}"]) {
      const { responses } = inbound.parse(paths[path]).post;
      expect(responses["202"]?.content?.["application/json"]?.schema).toMatchObject({ required: ["delivery_id"] });
    }
    const owners = { "/api/v1/deliveries": "get", "/api/v1/deliveries/{id}/replay": "post", "/api/v1/events": "post" };
    for (const [path, method] of Object.entries(owners)) {
      const { security } = operation.parse(z.record(z.string(), z.unknown()).parse(paths[path])[method]);
      expect(security).toContainEqual({ owner_token: [] });
    }
    const page = await (await ask("/docs", { token: null })).text();
    const [, webhooks = ""] = /<h2 id="tag-webhooks">Webhooks<\/h2>(.*?)<h2/s.exec(page) ?? [];
    for (const path of ["/webhooks/github", ...Object.keys(owners)]) expect(webhooks).toContain(path);
  });

  it("shows the API on a page that needs no script and nothing from elsewhere", async () => {
    const page = await (await ask("/docs", { token: null })).text();
    expect(page).toContain("/v1/claude_code/routines/{id}/fire");
    expect(page).not.toMatch(/<(?:script|style|link|img)[^>]*https?:|<script|<style|style=|(?:src|href)="https?:/);
    const style = await ask("/docs.css", { token: null });
    expect({ status: style.status, type: style.headers.get("content-type") }).toEqual({
      status: 200,
      type: "text/css; charset=utf-8",
    });
  });

  it("answers HEAD as GET without a body, and a foreign method with those that there are", async () => {
    const head = await ask("/api/v1/routines", { method: "HEAD" });
    expect({ status: head.status, body: await head.text() }).toEqual({ status: 200, body: "" });
    const put = await errorOf(await ask("/api/v1/routines", { method: "PUT", body: {} }));
    expect(put).toMatchObject({ status: 404, type: "not_found_error" });
    expect(put.hint).toContain("GET, POST");
  });
});
