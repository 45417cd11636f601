/** Browsers that are signed in: seen, ended, bound to the owner's token; what one has opened closes with it, whatever fails. */
import { createExecutionContext, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env, exports } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { SignIn } from "#protocol/sign-in.ts";
import { buildRoutine, call, fired, OWNER_TOKEN, watch } from "#test/support/api.ts";
import { asBrowser, signIn } from "#test/support/browser.ts";
import { realDeps } from "#test/support/clock.ts";
import { d1, fail, hang, loseAnswer, routine } from "#test/support/hang.ts";
import { evictOwnerOf, ownerOf } from "#test/support/objects.ts";
import { dial, type TestSocket } from "#test/support/test-socket.ts";
import { app } from "#worker/app.ts";
import type { Env } from "#worker/bindings.ts";
import { depsOf } from "#worker/deps.ts";
import { openLive } from "#worker/live/live.ts";

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

afterEach(() => {
  vi.useRealTimers();
});

type Browser = Record<string, string>;

async function session(): Promise<string> {
  return (await fired(await buildRoutine())).claude_code_session_id;
}

async function listed(browser: Browser): Promise<SignIn[]> {
  const answer = await asBrowser("GET", "/api/v1/sign-ins", browser);
  return (await answer.json<{ data: SignIn[] }>()).data;
}

const live = (sessionId: string, browser: Browser) => dial(`/api/v1/sessions/${sessionId}/live`, browser);

async function ticketOf(sessionId: string, browser: Browser): Promise<string> {
  const issued = await asBrowser("POST", `/api/v1/sessions/${sessionId}/ticket`, browser);
  return (await issued.json<{ ticket: string }>()).ticket;
}

async function codeOf(browser: Browser): Promise<string> {
  const made = await asBrowser("POST", "/api/v1/sign-in/codes", browser);
  return (await made.json<{ code: string }>()).code;
}

const useCode = async (code: string | undefined) =>
  (await call("POST", "/api/v1/sign-in", { code }, { authorization: "" })).status;

async function closeOf(socket: TestSocket): Promise<number | undefined> {
  await socket.until(() => socket.closed !== null);
  return socket.closed?.code;
}

const isIn = async (browser: Browser) => (await asBrowser("GET", "/api/v1/routines", browser)).status === 200;

/** A browser that signs in at an instance whose secrets are others. */
async function signInUnder(secrets: Partial<Env>): Promise<Browser> {
  const origin = "http://reveille.test";
  const request = new Request(`${origin}/api/v1/sign-in`, {
    method: "POST",
    headers: { "content-type": "application/json", origin },
    body: JSON.stringify({ token: secrets.OWNER_TOKEN ?? OWNER_TOKEN }),
  });
  const answer = await app.fetch(request, { ...env, ...secrets }, createExecutionContext());
  return { cookie: answer.headers.get("set-cookie")?.split(";")[0] ?? "", origin };
}

describe("the sign-ins of an instance", () => {
  it("are listed, each as its browser named itself, and the one that asks is marked", async () => {
    await call("DELETE", "/api/v1/sign-ins");
    const one = await signIn({ "user-agent": "Firefox on a desk", "cf-connecting-ip": "2001:db8::1" });
    const other = await signIn({ "user-agent": "Safari in a pocket" });
    const all = await listed(one);
    expect(all.map(({ user_agent, ip, current }) => [user_agent, ip, current])).toEqual([
      ["Safari in a pocket", null, false],
      ["Firefox on a desk", "2001:db8::1", true],
    ]);
    const page = await call<{ data: SignIn[]; next_cursor: string }>("GET", "/api/v1/sign-ins?limit=1");
    const next = await call<{ data: SignIn[] }>("GET", `/api/v1/sign-ins?cursor=${page.body.next_cursor}`);
    expect([page, next].map(({ body }) => body.data.map(({ id, current }) => [id, current]))).toEqual([
      [[all[0]?.id, false]],
      [[all[1]?.id, false]],
    ]);
    expect(await isIn(other)).toBe(true);
  });

  it("are ended one by one, all others at once, or all by the token, and their sockets close", async () => {
    const sessionId = await session();
    const [mine, lost, third] = [await signIn(), await signIn({ "user-agent": "lost" }), await signIn()];
    const [ofMine, ofLost] = [await live(sessionId, mine), await live(sessionId, lost)];
    const ofThird = await dial(`/api/v1/sessions/${sessionId}/live?ticket=${await ticketOf(sessionId, third)}`);
    const id = (await listed(mine)).find(({ user_agent }) => user_agent === "lost")?.id;
    expect((await asBrowser("DELETE", `/api/v1/sign-ins/${id}`, mine)).status).toBe(204);
    expect(await closeOf(ofLost)).toBe(4401);
    expect([await isIn(mine), await isIn(lost), await isIn(third)]).toEqual([true, false, true]);
    expect((await asBrowser("DELETE", `/api/v1/sign-ins/${id}`, mine)).status).toBe(404);
    expect((await asBrowser("DELETE", "/api/v1/sign-ins", { ...mine, origin: "https://evil.example" })).status).toBe(
      403,
    );

    expect((await asBrowser("DELETE", "/api/v1/sign-ins", mine)).status).toBe(204);
    expect(await closeOf(ofThird)).toBe(4401);
    expect([await isIn(mine), await isIn(third)]).toEqual([true, false]);
    expect((await call("DELETE", "/api/v1/sign-ins")).status).toBe(204);
    expect(await closeOf(ofMine)).toBe(4401);
    expect(await isIn(mine)).toBe(false);
  });
});

describe("with another owner token or signing key", () => {
  it.each([
    { OWNER_TOKEN: "the-owner-token-before-0123456789abcdef" },
    { SIGNING_KEY: "the-signing-key-before-0123456789abcdef" },
  ])("sign-ins, codes and tickets of the one before (%j) are good for nothing", async (before) => {
    const browser = await signInUnder(before);
    expect(browser.cookie).toContain("=");
    expect(await isIn(browser)).toBe(false);
    expect((await asBrowser("POST", `/api/v1/sessions/${await session()}/ticket`, browser)).status).toBe(401);
    const made = await app.fetch(
      new Request("http://reveille.test/api/v1/sign-in/codes", {
        method: "POST",
        headers: { authorization: `Bearer ${before.OWNER_TOKEN ?? OWNER_TOKEN}` },
      }),
      { ...env, ...before },
      createExecutionContext(),
    );
    const { code } = await made.json<{ code: string }>();
    expect((await call("POST", "/api/v1/sign-in", { code }, { authorization: "" })).status).toBe(401);
  });

  it.each([{ OWNER_TOKEN: env.OWNER_TOKEN_PREVIOUS ?? "" }, { SIGNING_KEY: env.SIGNING_KEY_PREVIOUS ?? "" }])(
    "that is being changed, sign-ins under the one before (%j) hold, and end when it is gone",
    async (before) => {
      const browser = await signInUnder({ OWNER_TOKEN_PREVIOUS: "", SIGNING_KEY_PREVIOUS: "", ...before });
      expect(await isIn(browser)).toBe(true);
      const socket = await live(await session(), browser);
      const gone = { ...env, OWNER_TOKEN_PREVIOUS: "", SIGNING_KEY_PREVIOUS: "" };
      const asked = new Request("http://reveille.test/api/v1/routines", { headers: browser });
      expect((await app.fetch(asked, gone, createExecutionContext())).status).toBe(401);
      const made = depsOf(gone);
      if (made.ok) await made.deps.sweepSignIns(Date.now());
      expect(await closeOf(socket)).toBe(4401);
      expect(await isIn(browser)).toBe(false);
    },
  );

  it("that is being changed, whoever comes with the owner's token before stays no longer than that", async () => {
    const token = env.OWNER_TOKEN_PREVIOUS ?? "";
    const authorization = { authorization: `Bearer ${token}` };
    expect((await call("GET", "/api/v1/routines", undefined, authorization)).status).toBe(200);
    const browser = await signInUnder({ OWNER_TOKEN: token, OWNER_TOKEN_PREVIOUS: "" });
    const { body } = await call<{ code: string }>("POST", "/api/v1/sign-in/codes", undefined, authorization);
    const byCode = await exports.default.fetch("http://reveille.test/api/v1/sign-in", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ code: body.code }),
    });
    const cookie = byCode.headers.get("set-cookie")?.split(";")[0] ?? "";
    const gone = { ...env, OWNER_TOKEN_PREVIOUS: "" };
    const statuses = [browser.cookie, cookie].map(async (one) => {
      const asked = new Request("http://reveille.test/api/v1/routines", { headers: { cookie: one ?? "" } });
      return (await app.fetch(asked, gone, createExecutionContext())).status;
    });
    expect(await Promise.all(statuses)).toEqual([401, 401]);
    expect(await isIn(browser)).toBe(true);
    await call("DELETE", "/api/v1/sign-ins");
  });

  it("that is being changed, runners of the token before are let in too", async () => {
    const asked = (token: string | undefined) =>
      call("GET", "/runner/pool", undefined, { authorization: `Bearer ${token}` });
    const answers = [env.RUNNER_TOKEN, env.RUNNER_TOKEN_PREVIOUS, "another-runner-token-0123456789abcdef"].map(asked);
    // 400: what is missing is the upgrade.
    expect((await Promise.all(answers)).map(({ status }) => status)).toEqual([400, 400, 401]);
  });

  it("sockets that the one before has opened close, the owner's own included, and its rows go", async () => {
    const sessionId = await session();
    const browser = await signIn();
    const sockets = [await live(sessionId, browser), await watch(sessionId)];
    const unused = await ticketOf(sessionId, browser);
    // Where viewers stand is written down some moments later: nothing of it is still to be written after this.
    await evictOwnerOf(sessionId);
    // As if the instance had come back with other secrets: what was written down is of the ones before.
    await runInDurableObject(ownerOf(sessionId), (_object, state) => {
      for (const socket of state.getWebSockets()) {
        const kept = socket.deserializeAttachment();
        socket.serializeAttachment({ ...kept, access: { ...kept.access, authority: "before" } });
      }
      state.storage.sql.exec("UPDATE tickets SET authority = 'before'");
    });
    await evictOwnerOf(sessionId);
    await call("GET", `/api/v1/sessions/${sessionId}`);
    expect(await Promise.all(sockets.map(closeOf))).toEqual([4401, 4401]);
    expect(await closeOf(await dial(`/api/v1/sessions/${sessionId}/live?ticket=${unused}`))).toBe(4401);

    const foreign = await signInUnder({ OWNER_TOKEN: "the-owner-token-before-0123456789abcdef" });
    expect(foreign.cookie).toContain("=");
    await realDeps().sweepSignIns(Date.now());
    const left = await env.DB.prepare("SELECT COUNT(DISTINCT authority) AS n FROM web_sessions").first<{ n: number }>();
    expect(left?.n).toBe(1);
  });
});

describe("a sign-in that is ended", () => {
  it.each([
    ["fails", fail],
    ["hangs", hang],
    ["loses its answer", loseAnswer],
  ])("has its sockets closed also where the object %s at first", async (_what, trouble) => {
    const [sessionId, otherId] = [await session(), await session()];
    const browser = await signIn();
    const [socket, other] = [await live(sessionId, browser), await live(otherId, browser)];
    const troubled = trouble(routine("revokeAccess", sessionId));
    expect((await asBrowser("POST", "/api/v1/sign-out", browser)).status).toBe(204);
    expect(await closeOf(other)).toBe(4401);
    await troubled.untilMet();
    expect(await isIn(browser)).toBe(false);
    troubled.end();
    await realDeps().sweepSignIns(Date.now() + 3 * MINUTE_MS);
    expect(await closeOf(socket)).toBe(4401);
    await vi.waitFor(async () => {
      await realDeps().sweepSignIns(Date.now() + 9 * MINUTE_MS);
      const owed = await env.DB.prepare(
        "SELECT COUNT(*) AS n FROM web_session_objects WHERE due_at IS NOT NULL",
      ).first();
      expect(owed).toEqual({ n: 0 });
    });
  });

  it("is still on, and can be ended again, where D1 did not take it in", async () => {
    const sessionId = await session();
    const browser = await signIn();
    const socket = await live(sessionId, browser);
    {
      using failing = fail(d1(/web_sessions/));
      expect((await asBrowser("POST", "/api/v1/sign-out", browser)).status).toBe(500);
      expect(failing.met).toBeGreaterThan(0);
    }
    expect(await isIn(browser)).toBe(true);
    expect((await asBrowser("POST", "/api/v1/sign-out", browser)).status).toBe(204);
    expect(await closeOf(socket)).toBe(4401);
  });

  it("leaves no code behind that signs in anew; codes of others, and of the owner's token, stay good", async () => {
    const [mine, lost] = [await signIn(), await signIn({ "user-agent": "lost" })];
    const made = await Promise.all([codeOf(lost), codeOf(lost), codeOf(mine)]);
    const ofToken = (await call<{ code: string }>("POST", "/api/v1/sign-in/codes")).body.code;
    expect(await useCode(made[0])).toBe(204);
    const id = (await listed(mine)).find(({ user_agent }) => user_agent === "lost")?.id;
    expect((await asBrowser("DELETE", `/api/v1/sign-ins/${id}`, mine)).status).toBe(204);
    expect(await Promise.all([made[1], made[2], ofToken].map(useCode))).toEqual([401, 204, 204]);
  });

  it("lets in no socket that was on its way", async () => {
    const sessionId = await session();
    const browser = await signIn();
    const first = await live(sessionId, browser);
    const access = await runInDurableObject(ownerOf(sessionId), (_object, state) => {
      const attachments = state.getWebSockets().map((socket) => socket.deserializeAttachment());
      return attachments[0].access;
    });
    const unused = await ticketOf(sessionId, browser);
    await asBrowser("POST", "/api/v1/sign-out", browser);
    expect(await closeOf(first)).toBe(4401);
    const late = await openLive(realDeps().ownerOf(sessionId), { sessionId, after: 0, ticket: null, access });
    const closed = Promise.withResolvers<number>();
    late.webSocket?.addEventListener("close", ({ code }) => closed.resolve(code));
    late.webSocket?.accept();
    expect(await closed.promise).toBe(4401);
    expect(await closeOf(await dial(`/api/v1/sessions/${sessionId}/live?ticket=${unused}`))).toBe(4401);
  });
});

it("expires with its sockets and tickets, though nothing happens in their session, and also after an eviction", async () => {
  const sessionId = await session();
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() });
  const browser = await signIn();
  const ofOwner = await watch(sessionId);
  const socket = await live(sessionId, browser);
  for (const one of [socket, ofOwner]) {
    const { seq } = await one.next(({ type }) => type === "caught_up");
    one.send({ type: "ack", seq });
  }
  vi.setSystemTime(Date.now() + 30 * DAY_MS - MINUTE_MS / 2);
  const unused = await ticketOf(sessionId, browser);
  await runDurableObjectAlarm(ownerOf(sessionId));
  expect(socket.closed).toBeNull();
  const alarmAt = await runInDurableObject(ownerOf(sessionId), (_object, { storage }) => storage.getAlarm());
  expect(alarmAt).toBeLessThanOrEqual(Date.now() + MINUTE_MS / 2);
  await evictOwnerOf(sessionId);
  vi.setSystemTime(Date.now() + MINUTE_MS / 2);
  await runDurableObjectAlarm(ownerOf(sessionId));
  expect(await closeOf(socket)).toBe(4401);
  expect(await isIn(browser)).toBe(false);
  expect(await closeOf(await dial(`/api/v1/sessions/${sessionId}/live?ticket=${unused}`))).toBe(4401);
  expect(ofOwner.closed).toBeNull();
});
