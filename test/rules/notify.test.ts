/** Who is told of what, what they are sent, and what counts as an answer. */
import { Webhook } from "standardwebhooks";
import { describe, expect, it } from "vitest";
import { type PostedNotification, postNotification } from "#instance/notifications/post-notification.ts";
import { shownKey, signedHeaders, signingKeysOf } from "#instance/notifications/sign-webhook.ts";
import { notificationKinds, notificationRuleSchema, webhookFault } from "#protocol/notification.ts";
import type { ListedRun } from "#protocol/run.ts";
import type { SettledStatus } from "#protocol/run-states.ts";
import type { HealthChange } from "#protocol/triggers.ts";
import { slackBody, webhookBody } from "#rules/run/notification-body.ts";
import { chooseDestinations, endFact, factText, readFact, retryAfterMs } from "#rules/run/notify.ts";

const AT = Date.parse("2026-11-29T10:00:00Z");
const A = "https://a.example.com/hook";
const B = "https://b.example.com/hook";

type Settled = Extract<ListedRun, { status: SettledStatus }>;
const run = (status: SettledStatus, result: string) => ({ id: "run_1", status, result }) as unknown as Settled;
const rule = (on: string[], more: object = {}) => notificationRuleSchema.parse({ on, webhook: A, ...more });

describe("the end of a run", () => {
  it.each<[SettledStatus, string, HealthChange | null, string[] | null]>([
    ["succeeded", "done", null, ["succeeded"]],
    ["succeeded", "done", "recovered", ["recovered", "succeeded"]],
    ["succeeded", "blocked", null, ["blocked", "succeeded"]],
    ["failed", "unknown", "failing", ["failed"]],
    ["failed", "blocked", null, ["failed", "blocked"]],
    ["timed_out", "unknown", null, ["failed"]],
    ["canceled", "unknown", null, null],
    ["canceled", "blocked", null, null],
  ])("%s, %s, %s is a fact of the kinds %j", (status, result, change, kinds) => {
    const fact = endFact(run(status, result), change, AT);
    expect(fact?.kinds ?? null).toEqual(kinds);
    if (fact !== null) expect(readFact(factText(fact))).toEqual(fact);
  });
});

describe("a fact", () => {
  it.each<[string, object[], string[], string | null, [string, string][]]>([
    ["goes to nobody without rules", [], ["failed"], null, []],
    ["goes to who asks for it", [rule(["failed"]), rule(["quiet"], { webhook: B })], ["failed"], null, [["failed", A]]],
    [
      "of several kinds is told once, as the most telling one",
      [rule(["succeeded", "recovered"])],
      ["recovered", "succeeded"],
      "done",
      [["recovered", A]],
    ],
    [
      "is told once to an address that two rules name",
      [rule(["succeeded"]), rule(["blocked"])],
      ["blocked", "succeeded"],
      "blocked",
      [["blocked", A]],
    ],
    [
      "is told to each address",
      [rule(["failed"]), rule(["failed"], { webhook: B })],
      ["failed"],
      null,
      [
        ["failed", A],
        ["failed", B],
      ],
    ],
    [
      "is not told where its result is skipped",
      [rule(["succeeded"], { skip: ["nothing_to_do"] })],
      ["succeeded"],
      "nothing_to_do",
      [],
    ],
    [
      "is told where another result is skipped",
      [rule(["succeeded"], { skip: ["nothing_to_do"] })],
      ["succeeded"],
      "done",
      [["succeeded", A]],
    ],
    [
      "is told of a recovery whose result is skipped",
      [rule(["succeeded", "recovered"], { skip: ["nothing_to_do"] })],
      ["recovered", "succeeded"],
      "nothing_to_do",
      [["recovered", A]],
    ],
  ])("%s", (_sentence, rules, kinds, result, expected) => {
    const chosen = chooseDestinations(rules as never, { kinds } as never, result as never);
    expect(chosen.map(({ kind, destination }) => [kind, destination.address])).toEqual(expected);
  });

  it("is tried again from 5 seconds to 10 hours later, and given up after 28 hours at most", () => {
    const waits = Array.from({ length: 9 }, (_, index) => retryAfterMs(index + 1));
    const given = waits.filter((wait) => wait !== null);
    expect([given[0], given.at(-1), waits.slice(given.length)]).toEqual([5_000, 36_000_000, [null, null]]);
    expect(given).toEqual(given.toSorted((one, other) => one - other));
    expect(given.reduce((sum, wait) => sum + wait, 0)).toBeLessThan(28 * 3_600_000);
  });
});

describe("a rule", () => {
  it.each([
    { on: ["failed"], webhook: A },
    { on: notificationKinds, webhook: `${A}/{{TOKEN}}?key={{ OTHER }}` },
    { on: ["missed"], slack: "{{SLACK_URL}}" },
  ])("may be %j", (input) => expect(notificationRuleSchema.safeParse(input).success).toBe(true));

  it.each([
    { on: [], webhook: A },
    { on: ["canceled"], webhook: A },
    { on: ["failed"] },
    { on: ["failed"], webhook: A, slack: "{{X}}" },
    { on: ["failed"], slack: "https://hooks.slack.com/services/T/B/x" },
    { on: ["failed"], webhook: A, key: "x" },
  ])("may not be %j", (input) => expect(notificationRuleSchema.safeParse(input).success).toBe(false));

  it.each([
    "http://a.example.com/",
    "https://127.0.0.1/",
    "https://[::1]/",
    "https://2130706433/",
    "https://localhost/",
    "https://metadata.google.internal/",
    "https://router.local/",
    "https://kubernetes.default.svc/",
    "https://a.example.com:8443/",
    "https://user:word@a.example.com/",
    "https://{{HOST}}/",
    "https://a.{{HOST}}.com/",
    "https://A.example.com/",
    "https:\\\\a.example.com\\x",
    "ftp://a.example.com/",
    "a.example.com",
    "",
  ])("sends no webhook to %j", (address) => expect(webhookFault(address)).not.toBeNull());
});

describe("a webhook", () => {
  it("is taken by the published verifier, with the present key and the one before, and with no other", async () => {
    const keys = await signingKeysOf(["canary-present-key-of-the-instance", "canary-key-before"] as never, A);
    const body = JSON.stringify({ type: "run.failed", data: { text: "ä" } });
    const headers = await signedHeaders({ id: "ntf_1", body, nowMs: Date.now() }, keys);
    for (const key of keys) expect(new Webhook(shownKey(key)).verify(body, headers)).toEqual(JSON.parse(body));
    const [other = ""] = await signingKeysOf(["canary-present-key-of-the-instance"] as never, B);
    expect(() => new Webhook(shownKey(other)).verify(body, headers)).toThrow();
    expect(() => new Webhook(shownKey(keys[0] ?? "")).verify(`${body} `, headers)).toThrow();
  });
});

/** One try against a receiver that answers so. */
async function tried(answer: () => Promise<Response>, more: Partial<PostedNotification> = {}, filled = A) {
  const asked: { url: string; init: RequestInit }[] = [];
  const failure = await postNotification(
    {
      config: { signingKeys: ["canary-key-of-the-instance"] as never, mail: { from: null, resendKey: null } },
      mailer: null,
      secrets: { fillText: async (text) => ({ ok: true, text: text.includes("{{") ? filled : text }) },
      fetch: (url, init) => {
        asked.push({ url, init });
        return answer();
      },
      now: () => AT,
    },
    {
      id: "ntf_1",
      routineId: "rtn_1",
      destination: { by: "webhook", address: A },
      body: "{}",
      sentBefore: null,
      ...more,
    },
  );
  return { failure, asked };
}

describe("a try", () => {
  it.each<[string, () => Promise<Response>, object | null]>([
    ["200", async () => new Response("fine"), null],
    ["204", async () => new Response(null, { status: 204 }), null],
    [
      "302",
      async () => Response.redirect("https://c.example.com/", 302),
      { error: "Answered 302: redirects are not followed.", isGone: false },
    ],
    ["404", async () => new Response("canary-answer", { status: 404 }), { error: "Answered 404.", isGone: false }],
    ["410", async () => new Response("", { status: 410 }), { error: "Answered 410.", isGone: true }],
    ["500", async () => new Response("canary-answer", { status: 500 }), { error: "Answered 500.", isGone: false }],
    [
      "nothing in time",
      () => Promise.reject(new DOMException("late", "TimeoutError")),
      { error: "No answer within 10 seconds.", isGone: false },
    ],
    [
      "a broken connection",
      () => Promise.reject(new TypeError(`${A}/canary-token`)),
      { error: "No connection, or it broke off.", isGone: false },
    ],
  ])("that meets %s has that for its end", async (_name, answer, expected) => {
    const { failure, asked } = await tried(answer);
    expect(failure).toEqual(expected);
    expect(asked.map(({ init }) => [init.method, init.redirect])).toEqual([["POST", "manual"]]);
    expect(asked[0]?.init.signal).toBeInstanceOf(AbortSignal);
  });

  it.each([
    ["another host", { by: "webhook", address: `${A}/{{X}}` }, "https://evil.example.com/hook/canary-1"],
    ["no https", { by: "webhook", address: `${A}/{{X}}` }, "http://a.example.com/canary-1"],
    ["a private address", { by: "slack", address: "{{X}}" }, "https://10.0.0.1/canary-1"],
    ["another host than Slack's", { by: "slack", address: "{{X}}" }, "https://a.example.com/canary-1"],
    ["no address", { by: "slack", address: "{{X}}" }, "canary-1"],
    [
      "another host than Telegram's",
      { by: "telegram", address: "{{X}}" },
      "https://a.example.com/bot1:canary/sendMessage?chat_id=1",
    ],
    ["no chat", { by: "telegram", address: "{{X}}" }, "https://api.telegram.org/bot1:canary/sendMessage"],
    [
      "another call of Telegram's",
      { by: "telegram", address: "{{X}}" },
      "https://api.telegram.org/bot1:canary/deleteWebhook?chat_id=1",
    ],
    ["another call of Discord's", { by: "discord", address: "{{X}}" }, "https://discord.com/api/v10/users/canary"],
    [
      "a name that ends as Discord's",
      { by: "discord", address: "{{X}}" },
      "https://notdiscord.com/api/webhooks/1/canary",
    ],
  ] as const)("is not made where secrets lead to %s, and quotes none of them", async (_name, destination, filled) => {
    const { failure, asked } = await tried(async () => new Response(), { destination }, filled);
    expect(asked).toEqual([]);
    expect(failure?.error).toMatch(/address/);
    expect(failure?.error).not.toContain("canary");
  });
});

describe("a message to a chat", () => {
  it.each([
    [
      "telegram",
      "https://api.telegram.org/bot1:canary-1/sendMessage?chat_id=-1001&message_thread_id=7",
      "https://api.telegram.org/bot1:canary-1/sendMessage",
      { chat_id: "-1001", message_thread_id: "7", text: "hi" },
    ],
    [
      "discord",
      "https://discord.com/api/webhooks/1/canary-1",
      "https://discord.com/api/webhooks/1/canary-1",
      { text: "hi" },
    ],
    [
      "discord",
      "https://discordapp.com/api/v10/webhooks/1/canary-1?thread_id=2&with_components=true",
      "https://discordapp.com/api/v10/webhooks/1/canary-1?thread_id=2&with_components=true",
      { text: "hi" },
    ],
    ["slack", "https://hooks.slack.com/services/canary-1", "https://hooks.slack.com/services/canary-1", { text: "hi" }],
  ] as const)("in %s goes to %s as %s", async (by, filled, url, body) => {
    const destination = { by, address: "{{X}}" };
    const { failure, asked } = await tried(async () => new Response(), { destination, body: '{"text":"hi"}' }, filled);
    expect(failure).toBeNull();
    expect(asked.map(({ url: to, init }) => [to, JSON.parse(String(init.body))])).toEqual([[url, body]]);
  });
});

describe("the body of a webhook", () => {
  it("has a long summary cut to 4,000 characters, and no half of one", () => {
    const evidence = { turns: 1, tool_calls: 2, files_changed: 0, commits_pushed: 0, branches_pushed: [] };
    const told = { id: "run_1", session_id: "session_1", error: null, evidence, usage: { cost_usd: 0 } };
    const body = webhookBody({
      kind: "succeeded",
      fact: { kinds: ["succeeded"], runId: "run_1", atMs: AT, detail: null },
      routine: { id: "rtn_1", name: "docs" },
      run: { ...told, summary: `${"x".repeat(3_999)}😀${"x".repeat(10_000)}` } as unknown as ListedRun,
      publicUrl: null,
    });
    expect(JSON.parse(body).data.run.summary).toBe("x".repeat(3_999));
  });

  it("names the pull requests that were opened from what the run pushed, the last 20", () => {
    const opened = Array.from({ length: 21 }, (_, index) => ({
      repository: "https://github.com/acme/docs",
      number: index + 1,
      url: `https://github.com/acme/docs/pull/${index + 1}`,
    }));
    const evidence = { turns: 1, tool_calls: 2, files_changed: 1, branches_pushed: [], pull_requests: opened };
    const run = { id: "run_1", session_id: "session_1", summary: null, error: null, evidence, usage: { cost_usd: 0 } };
    const told = {
      kind: "succeeded" as const,
      fact: { kinds: ["succeeded" as const], runId: "run_1", atMs: AT, detail: null },
      routine: { id: "rtn_1", name: "docs" },
      run: run as unknown as ListedRun,
      publicUrl: null,
    };
    expect(JSON.parse(webhookBody(told)).data.run.evidence.pull_requests).toEqual(opened.slice(1));
    const lines = slackBody(told).match(/pull request: [^\\"]+/g);
    expect(lines).toEqual(opened.slice(1).map(({ url }) => `pull request: ${url}`));
  });
});

describe("a message to Slack", () => {
  it("shows what others wrote as it is: it mentions nobody, links nothing, and fits however long it is", () => {
    const evidence = { turns: 1, tool_calls: 2, files_changed: 0, branches_pushed: [] };
    const told = {
      id: "run_1",
      session_id: "session_1",
      result: "done",
      error: null,
      evidence,
      usage: { cost_usd: 0.5 },
    };
    const fact = { kinds: ["succeeded" as const], runId: "run_1", atMs: AT, detail: null };
    const message = (summary: string) =>
      slackBody({
        kind: "succeeded",
        fact,
        routine: { id: "rtn_1", name: "docs <!channel> & more" },
        run: { ...told, summary } as unknown as ListedRun,
        publicUrl: "https://reveille.example.com",
      });
    const text = message("<https://evil.example.com|Approve> *now*");
    expect(text).not.toContain("<!channel>");
    expect(text).not.toContain("<https://evil");
    expect(text).toContain("<https://reveille.example.com/sessions/session_1|Open the session>");
    expect(text).toContain("result: done");
    const { blocks } = JSON.parse(message("<".repeat(10_000))) as { blocks: { text: { text: string } }[] };
    expect(Math.max(...blocks.map((block) => block.text.text.length))).toBeLessThanOrEqual(3_000);
    expect(blocks[1]?.text.text).toMatch(/^(?:&lt;)+…$/);
  });
});
