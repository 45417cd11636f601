/** What a container reaches: its own run at its instance, the hosts of its policy, and nothing else. */
import { exports } from "cloudflare:workers";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { makeAttemptToken } from "#instance/attempt-token.ts";
import { type Network, networkSchema } from "#protocol/environment.ts";
import { errorBodySchema, refuse } from "#protocol/errors.ts";
import type { LeaseRef } from "#protocol/runner-link.ts";
import { hang, routine } from "#test/support/hang.ts";
import { listen } from "#test/support/log-lines.ts";
import { OWN_RUN, POLICIES, POLICY_ROWS } from "#test/support/policy-rows.ts";
import { passOut } from "#worker/exit/pass-out.ts";
import { ToldDenials } from "#worker/exit/told-denials.ts";
import { ProxyBed } from "./proxy-bed.ts";
import { errorOf } from "./support.ts";

const bed = ProxyBed.make();
const INSTANCE = "http://reveille.internal";
const SIGNING_KEY = "signing-key-of-the-tests-0123456789abcdef";
/** The example of RFC 6455, section 1.3. */
const [KEY, ACCEPT] = ["dGhlIHNhbXBsZSBub25jZQ==", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="];

const UPGRADE = { headers: { upgrade: "WebSocket", connection: "Upgrade", "sec-websocket-key": KEY } };

/** Of no run that there is. */
const LEASE: LeaseRef = { run_id: "run_0ABCDEFGHJKMNPQRSTVWXYZ012", generation: 1 };

/** As the container of an attempt sends it. */
function leave(props: LeaseRef & { network?: Network }, url: string, init: RequestInit = {}): Promise<Response> {
  return exports.SandboxExit({ props }).fetch(new Request(url, { redirect: "manual", ...init }));
}

/** Whether a `Request` can say it: one from elsewhere has no user in it, and `fetch` loads no name with a star. */
function isAsWritten({ ask }: { ask: string }): boolean {
  return URL.parse(ask)?.username === "" && !ask.includes("*");
}

async function denied(answer: Response) {
  const { error } = errorBodySchema.parse(await answer.json());
  const reason = answer.headers.get("x-deny-reason");
  // Hints of refusals say to look there.
  expect(error.details).toMatchObject({ reason });
  return { status: answer.status, reason, message: error.message };
}

describe("a host of the policy", () => {
  it("is asked what the container asks, without what belongs to the connection, and its answer goes back", async () => {
    bed.upstream = () =>
      new Response("the package", {
        status: 203,
        headers: {
          etag: "x",
          "set-cookie": "a=b",
          connection: "x-hop, close",
          "x-hop": "1",
          "proxy-authenticate": "b",
        },
      });
    const answer = await leave(LEASE, "https://nodejs.org/dist?a=b", {
      method: "PUT",
      body: "bytes",
      headers: {
        authorization: "Bearer own",
        cookie: "c=d",
        te: "trailers",
        connection: "keep-alive, x-mine",
        "x-mine": "1",
      },
    });
    expect([answer.status, await answer.text()]).toEqual([203, "the package"]);
    expect([...answer.headers.keys()].sort()).toEqual(["content-type", "etag", "set-cookie"]);
    const [seen] = bed.asked;
    expect([seen?.method, seen?.url, seen?.text]).toEqual(["PUT", "https://nodejs.org/dist?a=b", "bytes"]);
    expect(Object.fromEntries(seen?.headers ?? [])).toEqual({
      "accept-encoding": "identity",
      authorization: "Bearer own",
      "content-length": "5",
      "content-type": "text/plain;charset=UTF-8",
      cookie: "c=d",
    });
  });

  it.each(["DELETE", "OPTIONS", "PATCH", "PROPFIND", "TRACE"])(
    "is asked by %s, whether or not there is a body",
    async (method) => {
      bed.upstream = (seen) => new Response(seen.method);
      const answer = await leave(LEASE, "https://pypi.org/", { method });
      expect(await answer.text()).toBe(method);
    },
  );

  it("leads elsewhere only by way of the container", async () => {
    bed.upstream = () => Response.redirect("http://169.254.169.254/latest/meta-data/", 302);
    const answer = await leave(LEASE, "https://github.com/acme/app");
    expect([answer.status, answer.headers.get("location")]).toEqual([302, "http://169.254.169.254/latest/meta-data/"]);
    expect(vi.mocked(globalThis.fetch).mock.lastCall?.[1]).toMatchObject({ redirect: "manual", cache: "no-store" });
  });

  it("hands its answer on while it comes", async () => {
    const pieces = ["the first piece"];
    bed.upstream = () =>
      new Response(
        new ReadableStream({
          pull: async (controller) =>
            controller.enqueue(new TextEncoder().encode(pieces.shift() ?? (await new Promise<string>(() => {})))),
        }),
      );
    const reader = (await leave(LEASE, "https://pypi.org/simple/")).body?.getReader();
    expect(new TextDecoder().decode((await reader?.read())?.value)).toBe("the first piece");
    await reader?.cancel();
  });

  it("that does not answer is told as that", async () => {
    bed.upstream = () => Promise.reject(new TypeError("internal words of the platform"));
    const error = await errorOf(await leave(LEASE, "https://pypi.org/simple/"));
    expect(error).toMatchObject({ status: 503, message: "pypi.org did not answer." });
    expect(error.hint).not.toContain("credentials");
  });

  it("is asked by 256 requests of one attempt at once; of more each is told to wait, and other attempts do not", async () => {
    const silent = Promise.withResolvers<void>();
    bed.upstream = () => silent.promise.then(() => new Response("late"));
    const lease = { ...LEASE, generation: 7 };
    const waiting = Array.from({ length: 256 }, () => leave(lease, "https://pypi.org/simple/"));
    await vi.waitFor(() => expect(bed.asked).toHaveLength(256));
    const refused = await leave(lease, "https://pypi.org/simple/");
    expect([refused.status, refused.headers.get("retry-after")]).toEqual([503, "1"]);
    expect(await errorOf(refused)).toMatchObject({ details: { code: "overloaded" } });
    const other = leave({ ...LEASE, generation: 8 }, "https://pypi.org/simple/");
    silent.resolve();
    const answers = await Promise.all([...waiting, other]);
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect((await leave(lease, "https://pypi.org/simple/")).status).toBe(200);
  });

  it("that stays silent is given up, and one that has begun to answer is not", async () => {
    const silent: typeof fetch = (_url, init) =>
      new Promise((_answer, fail) => init?.signal?.addEventListener("abort", () => fail(init.signal?.reason)));
    expect((await passOut(new Request("https://pypi.org/"), silent, 1)).status).toBe(503);
    const slow: typeof fetch = async (_url, init) =>
      new Response(
        new ReadableStream({
          pull: async (controller) => {
            await scheduler.wait(20);
            if (init?.signal?.aborted) return controller.error(init.signal.reason);
            controller.enqueue(new TextEncoder().encode("late"));
            controller.close();
          },
        }),
      );
    expect(await (await passOut(new Request("https://pypi.org/"), slow, 10)).text()).toBe("late");
  });
});

describe("a WebSocket to a host of the policy", () => {
  it("is opened, and proven to be the caller's; what is said goes both ways", async () => {
    bed.upstream = () => {
      const { 0: near, 1: far } = new WebSocketPair();
      far.accept();
      far.addEventListener("message", ({ data }) => far.send(`${data}!`));
      return new Response(null, { status: 101, webSocket: near, headers: { "sec-websocket-protocol": "chat" } });
    };
    const { headers } = UPGRADE;
    const offered = { "sec-websocket-protocol": "chat, other", "sec-websocket-extensions": "permessage-deflate" };
    const answer = await leave(LEASE, "https://nodejs.org/live", { headers: { ...headers, ...offered } });
    const [accept, protocol] = ["accept", "protocol"].map((name) => answer.headers.get(`sec-websocket-${name}`));
    expect([answer.status, accept, protocol]).toEqual([101, ACCEPT, "chat"]);
    const sent = Object.keys(Object.fromEntries(bed.asked[0]?.headers ?? []));
    expect(sent.filter((name) => /socket|upgrade/.test(name)).sort()).toEqual(["sec-websocket-protocol", "upgrade"]);
    const socket = answer.webSocket;
    const said = new Promise((settle) => socket?.addEventListener("message", ({ data }) => settle(data)));
    socket?.accept();
    socket?.send("hello");
    expect(await said).toBe("hello!");
    socket?.close();
  });

  it("that takes none answers as it will", async () => {
    bed.upstream = () => new Response("no socket here", { status: 426 });
    const answer = await leave(LEASE, "https://nodejs.org/live", UPGRADE);
    expect([answer.status, await answer.text()]).toEqual([426, "no socket here"]);
  });
});

describe("the container's policy", () => {
  it("is what its object was told, and the trusted hosts where an object of an earlier version tells none", async () => {
    bed.upstream = () => new Response("reached");
    const custom = networkSchema.parse(POLICIES.custom);
    expect((await leave({ ...LEASE, network: custom }, "https://api.acme.dev/")).status).toBe(200);
    expect((await leave({ ...LEASE, network: custom }, "https://nodejs.org/")).status).toBe(403);
    expect((await leave(LEASE, "https://nodejs.org/")).status).toBe(200);
  });

  it("decides each row of the table as it is written", async () => {
    bed.upstream = () => new Response("reached");
    const wrong: string[] = [];
    for (const { policy, ask, verdict, isUpgrade } of POLICY_ROWS.filter(isAsWritten)) {
      const props = { run_id: OWN_RUN, generation: 1, network: networkSchema.parse(POLICIES[policy]) };
      const answer = await leave(props, ask, isUpgrade ? UPGRADE : {});
      const reason = answer.headers.get("x-deny-reason");
      // An own path asks for a token, which is not given here.
      const met = reason ?? (answer.status === 401 ? "proxy" : answer.status === 200 ? "internet" : "unknown");
      if (met !== verdict) wrong.push(`${policy} ${ask}: ${met}, not ${verdict}`);
    }
    expect(wrong).toEqual([]);
  });
});

describe("any other host", () => {
  it("is refused with its reason, and the transcript is told once", async () => {
    const { offer, notices } = await bed.begin();
    for (let count = 0; count < 3; count++) {
      expect(await denied(await leave(offer.lease, `https://evil.com/${count}`))).toEqual({
        status: 403,
        reason: "host_not_allowed",
        message: "The network policy of this run does not allow evil.com.",
      });
    }
    await leave(offer.lease, "http://169.254.169.254/latest/meta-data/");
    await vi.waitFor(async () =>
      expect(await notices()).toEqual([
        { code: "host_not_allowed", message: "The network policy of this run does not allow evil.com." },
        { code: "host_not_allowed", message: "The network policy of this run does not allow 169.254.169.254." },
      ]),
    );
    expect(bed.asked).toEqual([]);
  });

  it("gets no socket", async () => {
    expect(await denied(await leave(LEASE, "https://evil.com/", UPGRADE))).toMatchObject({
      reason: "host_not_allowed",
    });
    expect(bed.asked).toEqual([]);
  });

  it("is refused at once while the routine's object hangs, and the transcript is told later", async () => {
    const { offer, notices } = await bed.begin();
    using silent = hang(routine("tellRun"));
    expect((await leave(offer.lease, "https://evil.com/")).status).toBe(403);
    await silent.untilMet();
    expect((await leave(offer.lease, "https://evil.com/again")).status).toBe(403);
    silent.end();
    await vi.waitFor(async () => expect(await notices()).toHaveLength(1));
    expect(silent.met).toBe(1);
  });

  it("is told fifty times in an attempt at most, which hides neither another rule's nor another attempt's", async () => {
    const denials = new ToldDenials();
    const told: string[] = [];
    const deny = (lease: LeaseRef, code: "host_not_allowed" | "proxy_refused", message: string) =>
      denials.once(lease, code, message, async () => void told.push(`${lease.generation} ${code} ${message}`));
    for (let count = 0; count < 120; count++) await deny(LEASE, "host_not_allowed", String(count % 60));
    await deny(LEASE, "proxy_refused", "a path");
    await deny({ ...LEASE, generation: 2 }, "host_not_allowed", "0");
    expect(told.slice(49)).toEqual(["1 host_not_allowed 49", "1 proxy_refused a path", "2 host_not_allowed 0"]);
  });

  it.each<[how: string, answer: () => Promise<unknown>]>([
    ["fails", () => Promise.reject(new Error("out of order"))],
    ["can't be opened", () => Promise.resolve(refuse("internal_error"))],
  ])("is told again where the routine's object %s", async (_how, answer) => {
    const log = listen();
    const { offer, notices } = await bed.begin();
    const mend = routine("tellRun")(answer);
    onTestFinished(mend);
    await leave(offer.lease, "https://evil.com/");
    await vi.waitFor(() => expect(log.troubles("notice_not_told")).toHaveLength(1));
    mend();
    await leave(offer.lease, "https://evil.com/");
    await vi.waitFor(async () => expect(await notices()).toHaveLength(1));
  });

  it("is told once though its attempt has ended", async () => {
    const log = listen();
    const { offer, work } = await bed.begin();
    await work.finish();
    const calls: unknown[] = [];
    const count = (tell: () => unknown) => calls[calls.push(tell()) - 1];
    onTestFinished(routine("tellRun")(count));
    await leave(offer.lease, "https://evil.com/");
    await vi.waitFor(() => expect(calls).toHaveLength(1));
    await leave(offer.lease, "https://evil.com/again");
    expect(calls).toHaveLength(1);
    expect(log.troubles("notice_not_told")).toEqual([]);
  });
});

describe("the instance", () => {
  it("does not serve anything else", async () => {
    const paths = ["/", "/healthz", "/readyz", "/openapi.json", "/api/v1/routines", "/runner/pool", "/webhooks/github"];
    for (const path of paths) {
      expect(await denied(await leave(LEASE, `${INSTANCE}${path}`))).toEqual({
        status: 403,
        reason: "path_not_allowed",
        message: `A run may ask its instance for its own paths only, not GET ${path}.`,
      });
    }
  });

  it("serves the run's proxies, streaming, to who has the attempt's token", async () => {
    const { offer, base, work } = await bed.begin();
    const clone = (token: string, path = base) =>
      leave(offer.lease, `${INSTANCE}${path}/git/0/info/refs?service=git-upload-pack`, {
        headers: { authorization: `Bearer ${token}` },
      });
    bed.upstream = () =>
      new Response("001e# service=git-upload-pack\n0000", {
        headers: { "content-type": "application/x-git-upload-pack-advertisement" },
      });
    expect((await clone(offer.proxy_token)).status).toBe(200);
    const { run_id, generation } = offer.lease;
    const later = await makeAttemptToken(SIGNING_KEY, "proxy", { run_id, generation: generation + 1 });
    const other = await bed.begin();
    // The link's token, another generation's, another run's, and none.
    for (const token of [offer.link_token, later, other.offer.proxy_token, ""]) {
      expect((await clone(token)).status).toBe(401);
    }
    expect((await clone(other.offer.proxy_token, other.base)).status).toBe(403);
    await work.finish();
    expect((await clone(offer.proxy_token)).status).toBe(401);
    expect(bed.asked).toHaveLength(1);
  });

  it("opens the run's link, and proves that the upgrade is the caller's", async () => {
    const { offer, work } = await bed.begin();
    const dial = (token: string, lease = offer.lease) =>
      leave(offer.lease, `${INSTANCE}/runner/runs/${lease.run_id}/link`, {
        headers: { upgrade: "websocket", "sec-websocket-key": KEY, authorization: `Bearer ${token}` },
      });
    const answer = await dial(offer.link_token);
    expect([answer.status, answer.headers.get("sec-websocket-accept")]).toEqual([101, ACCEPT]);
    answer.webSocket?.accept();
    answer.webSocket?.close();
    await work.connect();
    expect((await dial(offer.proxy_token)).status).toBe(401);
    const other = await bed.begin();
    expect((await dial(other.offer.link_token, other.offer.lease)).status).toBe(403);
    const plain = await leave(offer.lease, `${INSTANCE}/runner/runs/${offer.lease.run_id}/link`, {
      headers: { authorization: `Bearer ${offer.link_token}` },
    });
    expect(plain.status).toBe(400);
  });
});
