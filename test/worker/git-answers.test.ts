/** What an upstream answers in place of git is refused in words that git shows, and never taken for an empty repository. */
import { describe, expect, it } from "vitest";
import { REFUSAL_HEADER } from "#protocol/runner-link.ts";
import { configuredCredentials } from "#worker/proxy/git/git-credentials.ts";
import { askGit } from "#worker/proxy/git/git-upstream.ts";
import { ProxyBed, REPOSITORY } from "./proxy-bed.ts";
import { type Asked, errorOf } from "./support.ts";

const bed = ProxyBed.make();

const packet = (text: string) => `${(text.length + 4).toString(16).padStart(4, "0")}${text}`;
const git = { "user-agent": "git/2.39.5" };
const post = (service: string, body: string): Asked => ({
  method: "POST",
  body,
  headers: { ...git, "content-type": `application/x-${service}-request` },
});
const push = `${packet(`${"0".repeat(40)} ${"2".repeat(40)} refs/heads/claude/x\0 report-status`)}0000PACK`;

const PATHS: [string, Asked, string][] = [
  ["/git/0/info/refs?service=git-upload-pack", { headers: git }, "application/x-git-upload-pack-advertisement"],
  ["/git/0/info/refs?service=git-receive-pack", { headers: git }, "application/x-git-receive-pack-advertisement"],
  ["/git/0/git-upload-pack", post("git-upload-pack", "0000"), "application/x-git-upload-pack-result"],
  ["/git/0/git-receive-pack", post("git-receive-pack", push), "application/x-git-receive-pack-result"],
];

function page(
  status: number,
  type: string | null,
  body: BodyInit | null = "<html>Sign in</html>",
  more = {},
): Response {
  const answer = new Response(body, { status, headers: more });
  if (type === null) answer.headers.delete("content-type");
  else answer.headers.set("content-type", type);
  return answer;
}

const gzipped = new Uint8Array([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0]);

describe.each(PATHS)("at %s", (path, asked, type) => {
  it.each<[string, () => Response, string]>([
    ["a page", () => page(200, "text/html; charset=utf-8"), "text/html"],
    ["a page with 203", () => page(203, "text/html"), "text/html"],
    ["JSON", () => page(200, "application/json", "{}"), "application/json"],
    ["plain text", () => page(200, "text/plain", "ok"), "text/plain"],
    ["a page that is packed", () => page(200, "text/html", gzipped, { "content-encoding": "gzip" }), "text/html"],
    ["no type", () => page(200, null, new Uint8Array([60])), "no content type"],
    ["nothing", () => page(204, null, null), "no content type"],
    ["nothing of the right type", () => page(200, type, "", { "content-length": "0" }), "an empty body"],
    ["the other kind's type", () => page(200, type.replace(/pack-.*/, "pack-other")), "pack-other"],
    ["the type of a request", () => page(200, "application/x-git-upload-pack-request"), "pack-request"],
    ["a type that only contains it", () => page(200, `text/html; was=${type}`), "text/html"],
  ])("%s is refused, and names the credential", async (_what, answer, words) => {
    const { proxy, notices } = await bed.begin();
    bed.upstream = answer;
    const refused = await proxy(path, asked);
    // Of an HTTP error git shows nothing where it sends a body.
    expect(refused.status).toBe(asked.method === "POST" ? 200 : 403);
    expect(refused.headers.get("content-type")).toContain(asked.method === "POST" ? type : "text/plain");
    expect(refused.headers.get(REFUSAL_HEADER)).toBe("proxy_refused");
    const text = await refused.text();
    expect(text).toContain(words);
    expect(text).toContain("GIT_CREDENTIALS");
    expect(text).not.toContain("<html>");
    expect(await notices()).toEqual([{ code: "proxy_refused", message: expect.stringContaining("GIT_CREDENTIALS") }]);
  });

  it.each([type, `${type}; charset=utf-8`, type.toUpperCase()])("what is git's is passed on: %s", async (given) => {
    const { proxy } = await bed.begin();
    bed.upstream = () => page(200, given, "0000");
    const answer = await proxy(path, asked);
    expect([answer.status, await answer.text()]).toEqual([200, "0000"]);
  });
});

describe("an answer that leads elsewhere", () => {
  const refs = "/git/0/info/refs?service=git-upload-pack";
  const to = (location: string) => new Response("x", { status: 302, headers: { location } });
  it.each<[string, string, number]>([
    ["to a sign-in page of the same origin", "/users/sign_in?from=secret", 403],
    ["to a portal of another origin", "https://portal.test/login?token=secret", 403],
    ["to the repository's page", REPOSITORY, 403],
    [
      "to another address of the repository",
      "https://elsewhere.test/acme/app.git/info/refs?service=git-upload-pack",
      422,
    ],
  ])("%s is not followed to a page", async (_where, location, status) => {
    const { proxy } = await bed.begin();
    bed.upstream = ({ url }) => (url.startsWith(REPOSITORY) ? to(location) : page(200, "text/html"));
    const refused = await proxy(refs, { headers: git });
    const text = await refused.text();
    expect(refused.status).toBe(status);
    expect(text.includes("GIT_CREDENTIALS")).toBe(status === 403);
    expect(text).not.toContain("secret");
    expect(bed.asked).toHaveLength(1);
  });

  it("is followed within its origin to where the repository has moved", async () => {
    const { proxy } = await bed.begin();
    bed.upstream = ({ url }) =>
      url.startsWith(REPOSITORY)
        ? to("/acme/renamed.git/info/refs?service=git-upload-pack")
        : page(200, "application/x-git-upload-pack-advertisement", "refs");
    expect(await (await proxy(refs)).text()).toBe("refs");
  });
});

it.each<[string, ReadonlyMap<string, string>, RegExp]>([
  ["to set one", new Map(), /set a credential .* GIT_CREDENTIALS/],
  [
    "to look at the one there is",
    new Map([["https://git.test", "user:old"]]),
    /check the credential .* GIT_CREDENTIALS/,
  ],
])("a person is told %s", async (_what, credentials, words) => {
  bed.upstream = () => page(200, "text/html");
  const url = "https://git.test/a/info/refs?service=git-upload-pack";
  const asked = await askGit(
    { method: "GET", url, headers: new Headers(), body: null },
    configuredCredentials(credentials),
  );
  expect(asked).toMatchObject({
    ok: false,
    refusal: {
      reason: expect.stringMatching(words),
      hint: expect.stringContaining('{"https://git.test":"user:token"}'),
    },
  });
});

it("a page with 401 says that a credential is wanted", async () => {
  const { proxy } = await bed.begin();
  bed.upstream = () => page(401, "text/html");
  expect(await errorOf(await proxy("/git/0/info/refs?service=git-upload-pack"))).toMatchObject({
    status: 403,
    message: expect.stringMatching(/wants a credential.*GIT_CREDENTIALS/),
  });
});

it.each<[string, ReadonlyMap<string, string>, RegExp]>([
  ["wants one where none is set", new Map(), /^https:\/\/git\.test wants a credential: set one .* GIT_CREDENTIALS$/],
  ["has refused the one that is set", new Map([["https://git.test", "user:old"]]), /refused the credential: /],
])("a person is told that the host %s", async (_what, credentials, words) => {
  bed.upstream = () => page(401, "text/html");
  const url = "https://git.test/a/info/refs?service=git-upload-pack";
  const asked = await askGit(
    { method: "GET", url, headers: new Headers(), body: null },
    configuredCredentials(credentials),
  );
  expect(asked).toMatchObject({ ok: false, refusal: { reason: expect.stringMatching(words) } });
});
