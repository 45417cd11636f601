/** Clones and pushes by the GitHub App: a token for the one repository, and in words what stands in the way of one. */
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { KeyRing } from "#instance/key-ring.ts";
import { call } from "#test/support/api.ts";
import { realDeps } from "#test/support/clock.ts";
import { API, FakeGithub } from "#test/support/fake-github.ts";
import { githubRequest } from "#worker/github/github-api.ts";
import { InstallationTokens } from "#worker/github/installation-tokens.ts";
import type { KeptApp } from "#worker/github/kept-app.ts";
import { toPkcs8 } from "#worker/github/private-key.ts";
import { configuredCredentials, credentialsWithApp } from "#worker/proxy/git/git-credentials.ts";
import { MODEL, ProxyBed, type Seen } from "./proxy-bed.ts";

const bed = ProxyBed.make();
const REPOSITORY = "https://github.com/acme/app";
const REFS = "/git/0/info/refs?service=git-upload-pack";
const PUSH = "/git/0/info/refs?service=git-receive-pack";
const GIT = { headers: { "user-agent": "git/2.39.5" } };
const MINUTE_MS = 60_000;
const base = new FakeGithub();
const pem = await base.drawKey();
let github = base;

/** Git's own host: takes the newest token of the App's alone. */
let host: (seen: Seen) => Response;

function serve({ url, method, headers, text }: Seen): Response | Promise<Response> {
  if (!url.startsWith(API)) return host({ url, method, headers, text, body: new Uint8Array() });
  return github.answer(new Request(url, { method, headers, ...(text === "" ? {} : { body: text }) }));
}

function advertised(service = "git-upload-pack"): Response {
  return new Response("refs", { headers: { "content-type": `application/x-${service}-advertisement` } });
}

function app(change: Partial<KeptApp> = {}): KeptApp {
  const { id, slug, name, client_id } = github.app;
  const facts = { id, slug, name, client_id, owner: "acme", html_url: "https://github.com/apps/reveille-test" };
  return { ...facts, private_key: toPkcs8(pem) ?? "", webhook_secrets: [], made_at_ms: 1, ...change };
}

beforeEach(async () => {
  github = new FakeGithub();
  github.publicKey = base.publicKey;
  github.installations.push({ id: 7, account: "acme", repositories: ["app"] });
  host = ({ url }) => advertised(new URL(url).searchParams.get("service") ?? "");
  bed.upstream = serve;
  // Each test begins without a token that another has left.
  github.app.id = Math.floor(Math.random() * 1e9);
  await realDeps().appKeeper.keep(app(), Date.now());
});
afterEach(() => {
  vi.useRealTimers();
});

const tokensSent = () =>
  bed.asked
    .filter(({ url }) => url.startsWith(REPOSITORY))
    .map(({ headers }) => atob((headers.get("authorization") ?? "").replace("Basic ", "")));

/** The same installation, with something about it changed. */
function installed(change: object): void {
  github.installations.splice(0, 1, { id: 7, account: "acme", repositories: ["app"], ...change });
}

function troubled(answer: () => Response | Promise<Response>): void {
  github.trouble = answer;
}

/** More than anybody has to hold in memory. */
function endless(): Response {
  const pull = (controller: ReadableStreamDefaultController) => controller.enqueue(new Uint8Array(65_536).fill(32));
  return new Response(new ReadableStream({ pull }), { headers: { "content-type": "application/json" } });
}

const page = (type: string) => new Response("<html>", { headers: { "content-type": type } });
const limited = (message: string) => Response.json({ message }, { status: 403 });

describe("a run's git", () => {
  it("clones and pushes with tokens for this repository, with no more rights than it takes, each minted once", async () => {
    const { proxy } = await bed.begin(MODEL, REPOSITORY);
    for (const path of [REFS, REFS, PUSH]) expect((await proxy(path)).status).toBe(200);
    expect(tokensSent()).toEqual(["x-access-token:ghs_7_1", "x-access-token:ghs_7_1", "x-access-token:ghs_7_2"]);
    const minted = github.asked.filter(({ call: made }) => made.endsWith("/access_tokens"));
    expect(minted.map(({ body }) => body)).toEqual([
      { repositories: ["app"], permissions: { contents: "read" } },
      { repositories: ["app"], permissions: { contents: "write" } },
    ]);
  });

  it("gets another token when the host refuses the one that there is", async () => {
    const { proxy } = await bed.begin(MODEL, REPOSITORY);
    expect((await proxy(REFS)).status).toBe(200);
    host = ({ headers }) =>
      atob(headers.get("authorization")?.slice(6) ?? "").endsWith("_2")
        ? advertised()
        : new Response("", { status: 401 });
    expect((await proxy(REFS)).status).toBe(200);
    host = ({ headers }) =>
      atob(headers.get("authorization")?.slice(6) ?? "").endsWith("_3")
        ? Response.json({ objects: [] })
        : new Response("", { status: 401 });
    const batch = { operation: "download", objects: [{ oid: "ab".repeat(32), size: 5 }] };
    const lfs = { method: "POST", body: batch };
    expect((await proxy("/git/0/info/lfs/objects/batch", lfs)).status).toBe(200);
    host = () => new Response("", { status: 403 });
    const refused = await proxy(REFS, GIT);
    expect([refused.status, await refused.text()]).toEqual([403, expect.stringContaining("GitHub App Reveille test")]);
  });

  it.each<[string, () => void | Promise<void>, number, RegExp, boolean]>([
    ["the App is not installed", () => void github.installations.splice(0), 403, /not installed on acme/, true],
    [
      "the repository was not given",
      () => installed({ repositories: ["other"] }),
      403,
      /was not given acme\/app/,
      true,
    ],
    ["the installation is suspended", () => installed({ isSuspended: true }), 403, /suspended/, true],
    ["the App has fewer rights", () => installed({ contents: "read" }), 403, /contents: write/, true],
    [
      "the key is another's",
      async () =>
        realDeps().appKeeper.keep(app({ private_key: toPkcs8(await new FakeGithub().drawKey()) ?? "" }), Date.now()),
      422,
      /does not accept the key/,
      true,
    ],
    [
      "the key is none",
      () => realDeps().appKeeper.keep(app({ private_key: "nothing" }), Date.now()),
      422,
      /can't be read/,
      true,
    ],
    ["GitHub is down", () => troubled(() => new Response("", { status: 502 })), 503, /answers 502/, false],
    [
      "GitHub can't be reached",
      () => troubled(() => Promise.reject(new TypeError("refused"))),
      503,
      /can't be reached/,
      false,
    ],
    [
      "GitHub takes no more",
      () => troubled(() => new Response("{}", { status: 403, headers: { "retry-after": "30" } })),
      503,
      /no more requests/,
      false,
    ],
  ])("is told when %s, and so is the transcript unless it passes", async (_what, make, status, words, isTold) => {
    await make();
    const { proxy, notices } = await bed.begin(MODEL, REPOSITORY);
    const answer = await proxy(PUSH, GIT);
    const text = await answer.text();
    expect([answer.status, text]).toEqual([status, expect.stringMatching(words)]);
    expect(tokensSent()).toEqual([]);
    const told = await notices();
    expect(told).toHaveLength(isTold ? 1 : 0);
    if (isTold) expect(told[0]?.message).toMatch(words);
  });

  it("is told when the App's key can't be decrypted", async () => {
    vi.useFakeTimers({ toFake: ["Date"] });
    const sealed = await new KeyRing(["another".repeat(9)]).seal({ kind: "github-app", id: "github_app" }, "{}");
    await env.DB.prepare("UPDATE sealed_documents SET sealed = ?").bind(sealed).run();
    vi.setSystemTime(Date.now() + 6_000);
    const { proxy } = await bed.begin(MODEL, REPOSITORY);
    const answer = await proxy(REFS);
    expect([answer.status, await answer.text()]).toEqual([422, expect.stringContaining("secret_unreadable")]);
  });

  it("reads a public repository without the App, and says what would help when it is none", async () => {
    github.installations.splice(0);
    const { proxy } = await bed.begin(MODEL, REPOSITORY);
    expect((await proxy(REFS)).status).toBe(200);
    expect(bed.asked.at(-1)?.headers.get("authorization")).toBeNull();
    host = () => new Response("", { status: 404 });
    const refused = await proxy(REFS);
    expect([refused.status, await refused.text()]).toEqual([403, expect.stringContaining("github_app_not_installed")]);
  });
});

describe("by which credential a repository is asked", () => {
  const pairs = new Map([
    ["https://github.com", "user:pat"],
    ["https://git.test", "user:other"],
  ]);
  const tokens = (deadlineMs = 1_000) => new InstallationTokens(githubRequest(API, deadlineMs), Date.now, () => {});
  const of = (kept: KeptApp | null, minted = tokens()) =>
    credentialsWithApp(pairs, "https://github.com", async () => ({ ok: true, value: kept }), minted);

  it.each<[string, string, boolean, string | null]>([
    ["of GitHub, with the App", REPOSITORY, true, "x-access-token:ghs_7_1"],
    ["of GitHub, with the App, by one of git's paths", `${REPOSITORY}.git/info/refs`, true, "x-access-token:ghs_7_1"],
    ["of GitHub, that the App was not given", "https://github.com/acme/other", true, "user:pat"],
    ["of GitHub, where the App is not installed", "https://github.com/other/app", true, "user:pat"],
    ["of GitHub, without an App", REPOSITORY, false, "user:pat"],
    ["of another host", "https://git.test/acme/app", true, "user:other"],
    ["of a host without any", "https://none.test/acme/app", true, null],
    ["of a host whose name begins as GitHub's", "https://github.com.evil.test/acme/app", true, null],
    ["at another port", "https://github.com:8443/acme/app", true, null],
  ])("one %s", async (_what, url, hasApp, pair) => {
    const found = await of(hasApp ? app() : null).of(url, "read");
    expect(found).toMatchObject({ ok: true, value: { pair } });
    if (pair?.startsWith("user") ?? true) expect(found).toEqual(await configuredCredentials(pairs).of(url, "read"));
  });

  it("no other takes the App's place where its key is wrong, or GitHub is silent", async () => {
    const wrong = await of(app({ private_key: "nothing" })).of(REPOSITORY, "write");
    expect(wrong).toMatchObject({ ok: false, refusal: { code: "github_app_key_refused" } });
    vi.mocked(fetch).mockImplementation((_input, init) => {
      return new Promise((_resolve, reject) =>
        init?.signal?.addEventListener("abort", () => reject(init.signal?.reason)),
      );
    });
    const silent = await of(app(), tokens(5)).of(REPOSITORY, "write");
    expect(silent).toMatchObject({
      ok: false,
      refusal: { code: "github_unreachable", reason: expect.stringContaining("in time") },
    });
    vi.mocked(fetch).mockImplementation(async (_input, init) => {
      const start = (controller: ReadableStreamDefaultController) =>
        init?.signal?.addEventListener("abort", () => controller.error(init.signal?.reason));
      return new Response(new ReadableStream({ start }), { headers: { "content-type": "application/json" } });
    });
    const cutOff = await of(app(), tokens(5)).of(REPOSITORY, "write");
    expect(cutOff).toMatchObject({ ok: false, refusal: { code: "github_unreachable" } });
  });

  it.each<[string, RegExp, () => Response]>([
    ["a page in GitHub's place", /something else/, () => page("text/html")],
    ["a page that calls itself JSON", /something else/, () => page("application/json")],
    ["another form", /something else/, () => Response.json({ id: "7" })],
    ["nothing", /something else/, () => new Response("")],
    ["what never comes to an end", /longer than 4 MiB/, endless],
    [
      "that it has moved to another host, where no token goes",
      /another address/,
      () => Response.redirect("https://elsewhere.test/app", 307),
    ],
    [
      "that it takes no more for some minutes",
      /"retry_after_s":600/,
      () => {
        const [date, until] = ["Sun, 29 Nov 2026 10:00:00 GMT", Date.UTC(2026, 10, 29, 10, 10) / 1_000];
        const headers = { "x-ratelimit-remaining": "0", "x-ratelimit-reset": String(until), date };
        return new Response("{}", { status: 403, headers: { ...headers, "content-type": "application/json" } });
      },
    ],
    [
      "that it takes no more, in words alone",
      /no more requests/,
      () => limited("You have exceeded a secondary rate limit."),
    ],
    ["403 in words of another kind", /another kind/, () => limited("of another kind")],
  ])(
    "what passes by itself is told as such, and nothing is said of the key, when the answer is %s",
    async (_what, words, answer) => {
      troubled(answer);
      vi.mocked(fetch).mockImplementation((input, init) => github.answer(new Request(input, init)));
      const found = await of(app()).of(REPOSITORY, "write");
      const isLacking = words.source === "another kind";
      const code = isLacking ? "github_app_key_refused" : "github_unreachable";
      expect(found).toMatchObject({ ok: false, refusal: { code } });
      expect(JSON.stringify(found)).toMatch(words);
    },
  );

  it("is not asked again at once of a GitHub that takes no more requests", async () => {
    const minted = tokens();
    troubled(() => limited("You have exceeded a secondary rate limit."));
    const ask = () => of(app(), minted).of(REPOSITORY, "read");
    expect([await ask(), await ask()]).toMatchObject([{ ok: false }, { ok: false }]);
    expect(github.asked).toHaveLength(1);
  });

  it("a token is used until a minute before it lapses, and what is refused is asked again soon", async () => {
    vi.useFakeTimers({ toFake: ["Date"] });
    const minted = tokens();
    const pairAfter = async (minutes: number) => {
      vi.setSystemTime(Date.now() + minutes * MINUTE_MS);
      const found = await of(app(), minted).of(REPOSITORY, "read");
      return found.ok ? found.value.pair : null;
    };
    expect(await pairAfter(0)).toBe("x-access-token:ghs_7_1");
    expect(await pairAfter(58)).toBe("x-access-token:ghs_7_1");
    expect(await pairAfter(1)).toBe("x-access-token:ghs_7_2");
    const [installation] = github.installations.splice(0);
    expect(await pairAfter(60)).toBe("user:pat");
    if (installation !== undefined) github.installations.push(installation);
    expect(await pairAfter(0.2)).toBe("user:pat");
    expect(await pairAfter(0.1)).toBe("x-access-token:ghs_7_3");
  });
});

describe("the private key", () => {
  it.each([
    "",
    "no key",
    pem.replace("RSA ", "ENCRYPTED "),
    pem.replaceAll(/[A-Za-z0-9+/]{64}\n/g, "§\n"),
    "-----BEGIN RSA PRIVATE KEY-----",
  ])("is none: %#", (text) => expect(toPkcs8(text)).toBeNull());

  it.each([pem, pem.replaceAll("\n", "\\n"), pem.replaceAll("\n", "\r\n"), toPkcs8(pem) ?? ""])(
    "is read in each form",
    (text) => {
      expect(toPkcs8(text)).toBe(toPkcs8(pem));
    },
  );
});

it("forgets the App after these tests", async () => {
  expect((await call("DELETE", "/api/v1/github/app")).status).toBe(204);
});
