/** Faults of a git upstream that pass, repositories that have moved, and servers that want a push in one piece. */
import { describe, expect, it, vi } from "vitest";
import { REFUSAL_HEADER } from "#protocol/runner-link.ts";
import { ProxyBed, REPOSITORY, type Seen } from "./proxy-bed.ts";
import type { Asked } from "./support.ts";

const bed = ProxyBed.make();

const git = { "user-agent": "git/2.39.5" };
const packet = (text: string) => `${(text.length + 4).toString(16).padStart(4, "0")}${text}`;
const command = packet(`${"0".repeat(40)} ${"2".repeat(40)} refs/heads/claude/x\0 report-status`);
const TAKEN = `${packet("unpack ok\n")}${packet("ok refs/heads/claude/x\n")}0000`;
const MORE_THAN_HELD = "x".repeat(1_200_000);

const fetching: Asked = {
  method: "POST",
  body: "0011command=fetch0000",
  headers: { ...git, "content-type": "application/x-git-upload-pack-request" },
};
const pushing = (more = ""): Asked => ({
  method: "POST",
  body: `${command}0000PACK${more}`,
  headers: { ...git, "content-type": "application/x-git-receive-pack-request" },
});

function gitAnswer({ url, method }: Seen): Response {
  const service = /git-(?:upload|receive)-pack/.exec(url)?.[0] ?? "";
  const type = `application/x-${service}-${method === "GET" ? "advertisement" : "result"}`;
  return new Response(service === "git-receive-pack" ? TAKEN : "0000", { headers: { "content-type": type } });
}

const REQUESTS: [string, string, Asked][] = [
  ["refs are asked for", "/git/0/info/refs?service=git-upload-pack", { headers: git }],
  ["objects are asked for", "/git/0/git-upload-pack", fetching],
  ["a short push is sent", "/git/0/git-receive-pack", pushing()],
  ["a long push is sent", "/git/0/git-receive-pack", pushing(MORE_THAN_HELD)],
];

const FAULTS: [number, Record<string, string>, string, string | null, string][] = [
  [429, { "retry-after": "7" }, "upstream_limited", "7", "wants to be asked again after 7 s"],
  [403, { "retry-after": "60" }, "upstream_limited", "60", "credential is not at fault"],
  [503, { "retry-after": "9" }, "upstream_unreachable", "9", "answered 503"],
  [500, {}, "upstream_unreachable", null, "answered 500"],
  [411, {}, "proxy_refused", null, "http.postBuffer"],
  [413, {}, "proxy_refused", null, "no push of this size"],
  [401, {}, "proxy_refused", null, "wants a credential"],
  [410, {}, "not_found", null, "any more"],
];

const MOVES = [
  ["https://elsewhere.test/acme/app.git", "it has moved to https://elsewhere.test/acme/app.git"],
  ["http://127.0.0.1:9419/acme/app", "it has moved to http://127.0.0.1:9419/acme/app"],
  [REPOSITORY, "it redirects more than 3 times"],
] as const;

const textOf = async (answer: Response) => new TextDecoder().decode(await answer.arrayBuffer());

describe.each(REQUESTS)("where %s", (_what, path, asked) => {
  it("a fault of the upstream is told as what it is, with its reason", async () => {
    const { proxy } = await bed.begin();
    for (const [status, headers, code, wait, words] of FAULTS) {
      bed.upstream = () => new Response("words of the upstream", { status, headers });
      const answer = await proxy(path, asked);
      const text = await textOf(answer);
      expect([status, answer.headers.get(REFUSAL_HEADER), answer.headers.get("retry-after")]).toEqual([
        status,
        code,
        wait,
      ]);
      expect(text).toContain(words);
      expect(text).not.toContain("words of the upstream");
      if (path.endsWith("receive-pack")) expect(text).toContain("ng refs/heads/claude/x ");
      if (code === "upstream_limited") expect(text).not.toContain("GIT_CREDENTIALS");
    }
  });

  it("a repository that has moved within its host is followed, and no other", async () => {
    const { proxy, notices } = await bed.begin();
    for (const [to, words] of MOVES) {
      bed.upstream = ({ url }) =>
        new Response(null, { status: 301, headers: { location: url.replace(REPOSITORY, to) } });
      const answer = await proxy(path, asked);
      expect(answer.headers.get(REFUSAL_HEADER)).toBe("repository_moved");
      expect(await textOf(answer)).toContain(words);
      for (const { url } of bed.asked) expect(new URL(url).origin).toBe("http://127.0.0.1:9418");
    }
    bed.upstream = (seen) =>
      seen.url.startsWith(REPOSITORY)
        ? new Response(null, { status: 301, headers: { location: seen.url.replace("app.git", "renamed") } })
        : gitAnswer(seen);
    const answer = await proxy(path, asked);
    expect([answer.status, answer.headers.get(REFUSAL_HEADER)]).toEqual([200, null]);
    await answer.arrayBuffer();
    expect(bed.asked.at(-1)?.url).toContain("/acme/renamed/");
    expect(bed.asked.at(-1)?.text).toBe(asked.body ?? "");
    if (asked.method === "POST") return;
    const message = `${REPOSITORY} has moved to http://127.0.0.1:9418/acme/renamed, and was followed there: give the routine the new address.`;
    expect(await notices()).toContainEqual({ code: "repository_moved", message });
  });
});

it("a short push without a length is sent as a whole, for servers that want its length", async () => {
  const { proxy } = await bed.begin();
  bed.upstream = gitAnswer;
  const whole = new TextEncoder().encode(`${command}0000PACK`);
  const pieces = new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(whole.subarray(0, 9));
      controller.enqueue(whole.subarray(9));
      controller.close();
    },
  });
  expect(await textOf(await proxy("/git/0/git-receive-pack", { ...pushing(), body: pieces }))).toBe(TAKEN);
  expect(vi.mocked(fetch).mock.lastCall?.[1]?.body).toEqual(whole);
});
