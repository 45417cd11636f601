/** The ways to mailboxes, against the answers that their documentation describes; and what a mailbox is sent. */
import { describe, expect, it } from "vitest";
import { CloudflareMailer } from "#instance/notifications/cloudflare-mailer.ts";
import type { Mail } from "#instance/notifications/mail.ts";
import { lackingForMail, mailerOf } from "#instance/notifications/mailer.ts";
import { ResendMailer } from "#instance/notifications/resend-mailer.ts";
import { notificationRuleSchema } from "#protocol/notification.ts";
import type { ListedRun } from "#protocol/run.ts";
import { unsentMailRefusal } from "#rules/routine/unsent-mail.ts";
import { mailBody, readMail } from "#rules/run/mail-body.ts";
import type { Told } from "#rules/run/notification-body.ts";
import { type MailBed, mailService } from "#test/contracts/mailer.ts";

const NOW = Date.parse("2026-11-29T10:00:00Z");
const KEY = "canary-resend-key";

function cloudflare(): MailBed {
  const sent: Mail[] = [];
  let answer = async (): Promise<unknown> => ({ messageId: "1" });
  const binding = {
    send: async (mail: Mail) => {
      const answered = await answer();
      sent.push(mail);
      return answered;
    },
  };
  const refused = (code: string) => () => {
    answer = () => Promise.reject(Object.assign(new Error("canary-words"), { code }));
  };
  return {
    mailer: new CloudflareMailer(binding, 20),
    sent,
    hang: () => {
      answer = () => new Promise(() => undefined);
    },
    breakOff: (words) => {
      answer = () => Promise.reject(new Error(words));
    },
    credentials: [],
    refusals: {
      "the sender": { begin: refused("E_SENDER_NOT_VERIFIED"), failure: { isGone: false, isUnsent: true } },
      "the sender's domain": { begin: refused("E_SENDER_DOMAIN_NOT_AVAILABLE"), failure: { isUnsent: true } },
      "too many": { begin: refused("E_DAILY_LIMIT_EXCEEDED"), failure: { isGone: false, isUnsent: true } },
      "an address that took none": { begin: refused("E_RECIPIENT_SUPPRESSED"), failure: { isGone: true } },
      "an address that may not be": { begin: refused("E_RECIPIENT_NOT_ALLOWED"), failure: { isGone: false } },
      "its own fault": { begin: refused("E_INTERNAL_SERVER_ERROR"), failure: { isGone: false } },
      "a code of no list": { begin: refused("canary code"), failure: { isGone: false } },
    },
  };
}

function resend(): MailBed & { keys: (string | null)[] } {
  const sent: Mail[] = [];
  const keys: (string | null)[] = [];
  let answer = async (_signal: AbortSignal | null): Promise<Response> => Response.json({ id: "1" });
  const ask = async (url: string, init: RequestInit) => {
    const answered = await answer(init.signal ?? null);
    const headers = new Headers(init.headers);
    expect([url, init.method, init.redirect]).toEqual(["https://api.resend.com/emails", "POST", "manual"]);
    expect(headers.get("authorization")).toBe(`Bearer ${KEY}`);
    keys.push(headers.get("idempotency-key"));
    const { to, ...mail } = JSON.parse(String(init.body));
    expect(to).toHaveLength(1);
    sent.push({ ...mail, to: to[0] });
    return answered;
  };
  const refused = (status: number, headers?: Record<string, string>) => () => {
    answer = async () => new Response("canary-words", { status, ...(headers === undefined ? {} : { headers }) });
  };
  return {
    mailer: new ResendMailer({ apiKey: KEY, fetch: ask, now: () => NOW, deadlineMs: 20 }),
    sent,
    keys,
    hang: () => {
      answer = (signal) => new Promise((_, reject) => signal?.addEventListener("abort", () => reject(signal.reason)));
    },
    breakOff: (words) => {
      answer = () => Promise.reject(new TypeError(words));
    },
    credentials: [KEY],
    refusals: {
      "the key": { begin: refused(401), failure: { isGone: false, isUnsent: true } },
      "the sender": { begin: refused(403), failure: { isGone: false, isUnsent: true } },
      "too many": { begin: refused(429, { "retry-after": "30" }), failure: { isUnsent: true, afterMs: 30_000 } },
      "an address": { begin: refused(422), failure: { error: "Answered 422.", isGone: false } },
      "its own fault": { begin: refused(500), failure: { error: "Answered 500.", isGone: false } },
      "another place": { begin: refused(307), failure: { isGone: false } },
    },
  };
}

mailService("Cloudflare's e-mail service", cloudflare);
mailService("Resend", resend);

it("Resend is told the same key at each try", async () => {
  const { mailer, keys } = resend();
  const mail = { from: "a@b.test", to: "c@d.test", subject: "s", text: "t", html: "h" };
  for (const key of ["ntf_1", "ntf_1", "ntf_2"]) await mailer.send(mail, key);
  expect(keys).toEqual(["ntf_1", "ntf_1", "ntf_2"]);
});

describe("an instance", () => {
  const binding = { send: async () => undefined };
  const ask = async () => new Response();
  it.each([
    [{ from: null, resendKey: null }, undefined, /EMAIL_FROM/, null],
    [{ from: null, resendKey: KEY }, binding, /EMAIL_FROM/, ResendMailer],
    [{ from: "a@b.test", resendKey: null }, undefined, /RESEND_API_KEY/, null],
    [{ from: "a@b.test", resendKey: null }, binding, null, CloudflareMailer],
    [{ from: "a@b.test", resendKey: KEY }, binding, null, ResendMailer],
  ])("with %j %j lacks %s", (mail, given, lacking, kind) => {
    const config = { mail };
    if (lacking === null) expect(lackingForMail(config, given)).toBeNull();
    else expect(lackingForMail(config, given)).toMatch(lacking);
    const mailer = mailerOf(config, given, ask);
    if (kind === null) expect(mailer).toBeNull();
    else expect(mailer).toBeInstanceOf(kind);
  });

  it("that sends no e-mail refuses rules that name a mailbox, by what to set, and no others", () => {
    const rules = [
      { on: ["failed"], webhook: "https://a.example.com/" },
      { on: ["failed"], email: "team@example.com" },
    ].map((rule) => notificationRuleSchema.parse(rule));
    expect(unsentMailRefusal("notify", rules, null)).toBeNull();
    expect(unsentMailRefusal("notify", rules.slice(0, 1), "EMAIL_FROM is not set")).toBeNull();
    expect(unsentMailRefusal("notify", rules, "EMAIL_FROM is not set")).toMatchObject({
      code: "invalid_request",
      field: "notify[1].email",
      issues: [{ field: "notify[1].email", message: expect.stringContaining("EMAIL_FROM is not set") }],
    });
  });
});

describe("a rule", () => {
  it.each(["team@example.com", "a.b+c@mail.example.co.uk"])("may name %s", (email) =>
    expect(notificationRuleSchema.safeParse({ on: ["failed"], email }).success).toBe(true),
  );
  it.each(["team", "a@b", "{{MAIL}}", "a@b.test, c@d.test", "A <a@b.test>", "a@b.test\r\nBcc: c@d.test", ""])(
    "may not name %j",
    (email) => expect(notificationRuleSchema.safeParse({ on: ["failed"], email }).success).toBe(false),
  );
  it("may not name a mailbox and a webhook", () => {
    const both = { on: ["failed"], email: "a@b.test", webhook: "https://a.example.com/" };
    expect(notificationRuleSchema.safeParse(both).success).toBe(false);
  });
});

describe("a mail", () => {
  const evidence = { turns: 1, tool_calls: 2, files_changed: 0, branches_pushed: [] };
  const run = { id: "run_1", session_id: "session_1", result: "done", error: null, evidence, usage: { cost_usd: 0.5 } };
  const told = (more: Partial<Told> & { summary?: string }) =>
    readMail(
      mailBody({
        kind: "succeeded",
        fact: { kinds: ["succeeded"], runId: "run_1", atMs: NOW, detail: null },
        routine: { id: "rtn_1", name: "docs" },
        run: { ...run, summary: more.summary ?? "It is done." } as unknown as ListedRun,
        publicUrl: "https://reveille.example.com",
        ...more,
      }),
    );

  it("says the same as text and as HTML, with a link to the session", () => {
    const { subject, text, html } = told({});
    expect(subject).toBe("A run of docs has succeeded");
    for (const part of ["A run of docs has succeeded.", "It is done.", "turns: 1, tool calls: 2"]) {
      expect(text).toContain(part);
      expect(html).toContain(part);
    }
    expect(text).toContain("Open the session: https://reveille.example.com/sessions/session_1");
    expect(html).toContain('<a href="https://reveille.example.com/sessions/session_1">Open the session</a>');
  });

  it("links the routine where no run has caused it, and nothing where the instance's address is not known", () => {
    const told_ = { kind: "quiet" as const, run: null };
    expect(told(told_).text).toContain("https://reveille.example.com/routines/rtn_1");
    expect(JSON.stringify(told({ ...told_, publicUrl: null }))).not.toContain("http");
  });

  it("has one line for its subject, and what others wrote as text that loads and links nothing", () => {
    const name = "docs\r\nBcc: evil@example.com\u2028\u202e <script>";
    const summary = `<img src="https://evil.example.com/pixel"> <a href='x'>Approve</a> & more`;
    const { subject, html } = told({ routine: { id: "rtn_1", name }, summary });
    expect(subject).toBe("A run of docs Bcc: evil@example.com  <script> has succeeded");
    expect(html).not.toMatch(/<img|<script|href='/);
    expect(html).toContain("&lt;img src=&quot;https://evil.example.com/pixel&quot;&gt;");
  });

  it("is short however long what others wrote is, and has no half of a character", () => {
    const { subject, text } = told({ routine: { id: "rtn_1", name: "x".repeat(500) }, summary: "😀".repeat(9_000) });
    expect(subject.length).toBeLessThanOrEqual(200);
    expect(text.length).toBeLessThan(6_000);
    expect(text.isWellFormed()).toBe(true);
  });
});
