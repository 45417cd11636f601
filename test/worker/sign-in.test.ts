/** A browser is signed in, and what another site can't make it do. */
import { beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { OWNER_TOKEN } from "#test/support/api.ts";
import { isOwnOrigin } from "#worker/auth/origin.ts";
import { ask, createRoutine, errorOf, ORIGIN, read } from "./support.ts";

const codeSchema = z.object({ code: z.string(), expires_at: z.string() });

function signIn(credential: object, headers: Record<string, string> = {}) {
  return ask("/api/v1/sign-in", { method: "POST", token: null, body: credential, headers });
}

async function cookieOf(answer: Response): Promise<string> {
  expect(answer.status).toBe(204);
  const set = answer.headers.get("set-cookie") ?? "";
  expect(set).toContain("HttpOnly");
  expect(set).toContain("SameSite=Strict");
  expect(set).toContain("Path=/");
  return set.split(";")[0] ?? "";
}

describe("a browser", () => {
  let cookie = "";
  beforeEach(async () => {
    cookie = await cookieOf(await signIn({ token: OWNER_TOKEN }));
  });

  it("reads with its cookie, and writes from the instance's own pages alone", async () => {
    expect((await ask("/api/v1/routines", { token: null, headers: { cookie } })).status).toBe(200);
    const write = (headers: Record<string, string>) =>
      ask("/api/v1/routines", { method: "POST", token: null, body: { name: "n", prompt: "p" }, headers });
    expect((await write({ cookie, origin: ORIGIN })).status).toBe(201);
    for (const origin of ["https://evil.example", "null", "http://reveille.test.evil.example", `${ORIGIN}:1`]) {
      const refused = await errorOf(await write({ cookie, origin }));
      expect(refused).toMatchObject({ status: 403, type: "permission_error", details: { field: "Origin" } });
    }
    expect((await write({ cookie })).status).toBe(403);
    expect((await write({ origin: ORIGIN })).status).toBe(401);
  });

  it("can't be signed in by another site", async () => {
    const refused = await errorOf(await signIn({ token: OWNER_TOKEN }, { origin: "https://evil.example" }));
    expect(refused).toMatchObject({ status: 403, details: { code: "origin_refused" } });
  });

  it("opens a live socket from the instance's own pages alone", async () => {
    const { id } = await createRoutine();
    const started = await read(z.object({ session_id: z.string() }), `/api/v1/routines/${id}/run`, { method: "POST" });
    const upgrade = (headers: Record<string, string>) =>
      ask(`/api/v1/sessions/${started.session_id}/live`, {
        token: null,
        headers: { upgrade: "websocket", ...headers },
      });
    const opened = await upgrade({ cookie, origin: ORIGIN });
    expect(opened.status).toBe(101);
    opened.webSocket?.accept();
    opened.webSocket?.close();
    expect((await upgrade({ cookie, origin: "https://evil.example" })).status).toBe(403);
    expect((await upgrade({ cookie })).status).toBe(403);
    const bearer = { authorization: `Bearer ${OWNER_TOKEN}`, origin: "https://evil.example" };
    expect((await upgrade(bearer)).status).toBe(403);
  });

  it("is signed out for good", async () => {
    const signOut = (headers: Record<string, string>) =>
      ask("/api/v1/sign-out", { method: "POST", token: null, headers: { cookie, ...headers } });
    expect((await signOut({ origin: "https://evil.example" })).status).toBe(403);
    expect((await signOut({ origin: ORIGIN })).status).toBe(204);
    expect((await ask("/api/v1/routines", { token: null, headers: { cookie } })).status).toBe(401);
  });

  it("is taken in by a code once", async () => {
    const { code } = await read(codeSchema, "/api/v1/sign-in/codes", { method: "POST" });
    const answers = await Promise.all(Array.from({ length: 5 }, () => signIn({ code })));
    expect(answers.filter(({ status }) => status === 204)).toHaveLength(1);
    const refused = await errorOf(await signIn({ code }));
    expect(refused).toMatchObject({ status: 401, details: { code: "sign_in_refused", field: "code" } });
  });

  it.each([
    [{ token: "wrong" }, 401, "token"],
    [{ code: "wrong" }, 401, "code"],
    [{}, 400, "body"],
    [{ token: "a", code: "b" }, 400, "body"],
    [{ token: "" }, 400, "token"],
    [{ tokn: "x" }, 400, "tokn"],
  ])("is not taken in by %j", async (credential, status, field) => {
    expect(await errorOf(await signIn(credential))).toMatchObject({ status, details: { field } });
  });
});

describe("a management call", () => {
  it.each([
    [undefined],
    [""],
    ["Bearer"],
    ["Bearer wrong"],
    [`Basic ${btoa(`owner:${OWNER_TOKEN}`)}`],
    [`Bearer ${OWNER_TOKEN.slice(0, -1)}`],
    [`Bearer ${OWNER_TOKEN}x`],
  ])("with Authorization %j is refused", async (authorization) => {
    const headers = authorization === undefined ? {} : { authorization };
    const refused = await ask("/api/v1/routines", { token: null, headers });
    expect(refused.headers.get("www-authenticate")).toBe("Bearer");
    expect(await errorOf(refused)).toMatchObject({ status: 401, details: { field: "Authorization" } });
  });
});

describe("an origin", () => {
  it.each<[string | undefined, string, string | null, boolean]>([
    ["http://a.test", "http://a.test/x", null, true],
    ["http://a.test", "http://a.test:80/x", null, true],
    ["https://a.test", "http://a.test/x", null, false],
    ["http://a.test:1", "http://a.test/x", null, false],
    ["https://public.test", "http://inner.test/x", "https://public.test/base/", true],
    ["http://inner.test", "http://inner.test/x", "https://public.test", false],
    ["http://evil.test:8787", "http://evil.test:8787/x", "http://localhost:8787", false],
    ["http://127.0.0.1:8787", "http://127.0.0.1:8787/x", "http://localhost:8787", true],
    ["http://[::1]:8787", "http://[::1]:8787/x", "http://localhost:8787", true],
    ["http://localhost:8788", "http://localhost:8787/x", "http://localhost:8787", false],
    ["https://localhost:8787", "http://localhost:8787/x", "http://localhost:8787", false],
    ["http://127.0.0.1:8787", "http://127.0.0.1:8787/x", "https://public.test", false],
    ["http://localhost.evil.test:8787", "http://localhost.evil.test:8787/x", "http://localhost:8787", false],
    ["http://127.0.0.1:8787/", "http://127.0.0.1:8787/x", "http://localhost:8787", false],
    ["null", "http://a.test/x", null, false],
    ["null", "http://a.test/x", "http://localhost:8787", false],
    ["no address", "http://a.test/x", null, false],
    [undefined, "http://a.test/x", null, false],
  ])("%j at %s, known outside as %j, is its own: %j", (origin, url, publicUrl, isOwn) => {
    expect(isOwnOrigin(origin, url, publicUrl)).toBe(isOwn);
  });
});
