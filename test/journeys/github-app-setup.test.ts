/** An owner sets up the GitHub App: made by GitHub, kept encrypted, replaced, its keys changed, its webhooks believed at once. */
import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { KeyRing } from "#instance/key-ring.ts";
import type { ErrorBody } from "#protocol/errors.ts";
import type { BegunSetup, GithubAppState } from "#protocol/github-app.ts";
import { call } from "#test/support/api.ts";
import { asBrowser, signIn } from "#test/support/browser.ts";
import { hmacHex, post } from "#test/support/deliver.ts";
import { FakeGithub } from "#test/support/fake-github.ts";

const PATH = "/api/v1/github/app";
const MINUTE_MS = 60_000;
let github = new FakeGithub();

beforeEach(async () => {
  vi.useRealTimers();
  github = new FakeGithub();
  vi.spyOn(globalThis, "fetch").mockImplementation((input, init) => github.answer(new Request(input, init)));
  await call("DELETE", PATH);
});

async function begin(body?: { organization: string }): Promise<{ state: string; begun: BegunSetup }> {
  const { status, body: begun } = await call<BegunSetup>("POST", `${PATH}/setup`, body);
  expect(status).toBe(201);
  return { begun, state: new URL(begun.action).searchParams.get("state") ?? "" };
}

/** As when GitHub has sent the browser back. */
async function setUp(code = "a-code") {
  const { state } = await begin();
  if (github.pem === "") github.pem = await github.drawKey();
  github.codes.add(code);
  return call<GithubAppState>("POST", PATH, { code, state });
}

const end = (body: object) => call<ErrorBody>("POST", PATH, body);
const kept = () => env.DB.prepare("SELECT * FROM sealed_documents").all<{ name: string; sealed: string }>();

async function deliver(secret: string): Promise<number> {
  const body = JSON.stringify({ zen: "Keep it logically awesome." });
  const signature = `sha256=${await hmacHex(secret, body)}`;
  const headers = { "x-github-event": "ping", "x-hub-signature-256": signature, "content-type": "application/json" };
  return (await post("/webhooks/github", body, headers)).status;
}

describe("setting up the GitHub App", () => {
  it("sends the browser to GitHub with what is needed, and takes what GitHub has made", async () => {
    const { begun } = await begin({ organization: "acme-org" });
    expect(begun.action).toMatch(
      /^https:\/\/github\.com\/organizations\/acme-org\/settings\/apps\/new\?state=rvl_setup_/,
    );
    expect(JSON.parse(begun.manifest)).toMatchObject({
      redirect_url: "http://reveille.test/setup",
      public: false,
      default_permissions: { contents: "write", metadata: "read", pull_requests: "write" },
    });
    github.installations.push({ id: 1, account: "acme", repositories: ["app"] });
    const { status, body } = await setUp();
    expect(status).toBe(201);
    expect(body).toMatchObject({
      app: { id: 4711, name: "Reveille test", owner: "acme", has_webhook_secret: true },
      install_url: "https://github.com/apps/reveille-test/installations/new",
      installations: [{ id: 1, account: "acme", repositories: "selected", suspended: false }],
      problem: null,
      replaced: null,
    });
    expect((await call<GithubAppState>("GET", PATH)).body).toEqual(body);
  });

  it("keeps what GitHub told encrypted, and shows or logs none of it", async () => {
    const log = vi.spyOn(console, "log");
    const { body } = await setUp();
    const { pem } = github;
    const rows = JSON.stringify((await kept()).results);
    const secrets = [github.webhookSecret ?? "", "client-secret-of-github", pem.split("\n")[3] ?? "", "reveille-test"];
    for (const secret of secrets) expect(rows).not.toContain(secret);
    const told = JSON.stringify([body, log.mock.calls]);
    for (const secret of secrets.slice(0, 3)) expect(told).not.toContain(secret);
  });

  it.each<[string, (state: string) => object | Promise<object>]>([
    ["a state that was never given", () => ({ code: "a-code", state: "rvl_setup_made-up" })],
    ["a state that has been used", (state) => end({ code: "none", state }).then(() => ({ code: "a-code", state }))],
    [
      "a state of an hour ago",
      (state) => ({ code: "a-code", state, ...(vi.setSystemTime(Date.now() + 61 * MINUTE_MS) && {}) }),
    ],
    ["a code that GitHub does not know", (state) => ({ code: "another", state })],
  ])("refuses %s, and changes nothing", async (_what, given) => {
    vi.useFakeTimers({ toFake: ["Date"] });
    const { state } = await begin();
    github.codes.add("a-code");
    const { status, body } = await end(await given(state));
    expect([status, body.error.details?.code]).toEqual([422, "setup_refused"]);
    expect((await kept()).results).toEqual([]);
  });

  it("is the owner's alone, and no other site's", async () => {
    const stranger = { authorization: "Bearer somebody-else" };
    const calls = [call("GET", PATH, undefined, stranger), call("POST", `${PATH}/setup`, {}, stranger)];
    expect((await Promise.all(calls)).map(({ status }) => status)).toEqual([401, 401]);
    const browser = { ...(await signIn()), origin: "https://evil.example" };
    expect((await asBrowser("POST", `${PATH}/setup`, browser)).status).toBe(403);
    expect((await asBrowser("DELETE", PATH, browser)).status).toBe(403);
  });

  it("says which App was replaced, whose webhooks count no more; the new one's do at once, and so does the configured secret", async () => {
    await setUp();
    const [old, configured] = [github.webhookSecret ?? "", env.GITHUB_WEBHOOK_SECRET ?? ""];
    expect(await Promise.all([old, configured, "neither-of-both"].map(deliver))).toEqual([202, 202, 401]);
    github.webhookSecret = "webhook-secret-of-another-0123456789";
    const { body } = await setUp("another-code");
    expect(body.replaced).toEqual({ name: "Reveille test", html_url: "https://github.com/apps/reveille-test" });
    expect(await Promise.all([old, configured, github.webhookSecret].map(deliver))).toEqual([401, 202, 202]);
    expect((await call("DELETE", PATH)).status).toBe(204);
    expect(await deliver(github.webhookSecret)).toBe(401);
  });
});

describe("the GitHub App that is set up", () => {
  it("gets another private key when GitHub accepts it, and another webhook secret beside the one before", async () => {
    await setUp();
    const old = github.pem;
    const stranger = await new FakeGithub().drawKey();
    const change = (body: object) => call<ErrorBody>("PATCH", PATH, body);
    expect((await change({ private_key: "no key" })).body.error.details?.code).toBe("invalid_request");
    expect((await change({ private_key: stranger })).body.error.details?.code).toBe("github_app_key_refused");
    const key = await github.drawKey();
    expect((await call<GithubAppState>("GET", PATH)).body.problem?.code).toBe("github_app_key_refused");
    expect((await change({ private_key: old })).status).toBe(422);
    expect((await change({ private_key: key.replaceAll("\n", "\\n") })).status).toBe(200);
    expect((await call<GithubAppState>("GET", PATH)).body.problem).toBeNull();
    expect((await change({ webhook_secret: "a-newer-webhook-secret" })).status).toBe(200);
    const secrets = [github.webhookSecret ?? "", "a-newer-webhook-secret"];
    expect(await Promise.all(secrets.map(deliver))).toEqual([202, 202]);
  });

  it("is not changed by who did not see the change of somebody else", async () => {
    await setUp();
    const key = await github.drawKey();
    github.trouble = async () => {
      github.trouble = null;
      await call("PATCH", PATH, { webhook_secret: "a-newer-webhook-secret" });
      return null;
    };
    const { status, body } = await call<ErrorBody>("PATCH", PATH, { private_key: key });
    expect([status, body.error.details?.code]).toEqual([409, "revision_conflict"]);
    expect(await deliver("a-newer-webhook-secret")).toBe(202);
    expect((await call("PATCH", PATH, { private_key: key })).status).toBe(200);
    expect(await deliver("a-newer-webhook-secret")).toBe(202);
  });

  it("can't be changed where there is none", async () => {
    const { status, body } = await call<ErrorBody>("PATCH", PATH, { webhook_secret: "a-newer-webhook-secret" });
    expect([status, body.error.details?.code]).toEqual([404, "github_app_missing"]);
  });

  it.each([
    [
      "was encrypted with another key",
      () => new KeyRing(["another".repeat(9)]).seal({ kind: "github-app", id: "github_app" }, "{}"),
    ],
    ["was changed", async () => `${(await kept()).results[0]?.sealed.slice(0, -8)}AAAAAAA=`],
  ])("says what to do when it %s", async (_what, seal) => {
    vi.useFakeTimers({ toFake: ["Date"] });
    await setUp();
    await env.DB.prepare("UPDATE sealed_documents SET sealed = ?")
      .bind(await seal())
      .run();
    vi.setSystemTime(Date.now() + MINUTE_MS);
    const { status, body } = await call<GithubAppState>("GET", PATH);
    expect(status).toBe(200);
    expect(body).toMatchObject({
      app: null,
      problem: { code: "secret_unreadable", hint: expect.stringContaining("SIGNING_KEY_PREVIOUS") },
    });
    expect(await deliver(env.GITHUB_WEBHOOK_SECRET ?? "")).toBe(202);
    const step = await call("POST", "/api/v1/instance/secrets/encrypt-anew");
    expect(step.body).toMatchObject({ is_app_unreadable: true });
    expect((await setUp("another-code")).body.problem).toBeNull();
  });
});
