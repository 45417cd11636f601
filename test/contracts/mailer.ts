/** What every way to mailboxes has to do. */
import { describe, expect, it } from "vitest";
import type { Mail, Mailer } from "#instance/notifications/mail.ts";
import type { PostFailure } from "#instance/notifications/post-failure.ts";

/** A service, as a test sets it. */
export interface MailBed {
  mailer: Mailer;
  /** What has reached the service, in order. */
  sent: Mail[];
  /** Has the service answer nothing from now on. */
  hang(): void;
  /** Has it break off from now on, with these words. */
  breakOff(words: string): void;
  /** By their names: has the service refuse from now on, with words that quote what was sent. */
  refusals: Record<string, { begin(): void; failure: Partial<NonNullable<PostFailure>> }>;
  /** What must be in no failure. */
  credentials: string[];
}

const MAIL: Mail = {
  from: "reveille@mail.test",
  to: "canary-team@example.com",
  subject: "A run of docs has failed",
  text: "A run of docs has failed.\n\nünïcödé 🔑 <b>\n",
  html: "<p>ünïcödé 🔑 &lt;b&gt;</p>",
};

export function mailService(name: string, open: () => MailBed): void {
  describe(name, () => {
    it("sends a mail as it is, to one address, and each once", async () => {
      const { mailer, sent } = open();
      const other = { ...MAIL, to: "other@example.com" };
      expect([await mailer.send(MAIL, "ntf_1"), await mailer.send(other, "ntf_2")]).toEqual([null, null]);
      expect(sent).toEqual([MAIL, other]);
    });

    it("waits for no answer for ever", async () => {
      const bed = open();
      bed.hang();
      const failure = await bed.mailer.send(MAIL, "ntf_1");
      expect(failure).toEqual({ error: "No answer within 10 seconds.", isGone: false });
    });

    it("tells of a connection that broke off, without its words", async () => {
      const bed = open();
      bed.breakOff(`canary-words of ${bed.credentials.join()}`);
      const failure = await bed.mailer.send(MAIL, "ntf_1");
      expect(failure).toEqual({ error: "No connection, or it broke off.", isGone: false });
    });

    it.each(Object.keys(open().refusals))("tells what it is refused for: %s", async (refusal) => {
      const bed = open();
      const { begin, failure } = bed.refusals[refusal] ?? {};
      begin?.();
      const found = await bed.mailer.send(MAIL, "ntf_1");
      expect(found).toMatchObject(failure ?? {});
      expect(found?.isUnsent).toBe(failure?.isUnsent);
      expect(found?.error).toMatch(/^[A-Z].*\.$/);
      for (const hidden of ["canary", ...bed.credentials]) expect(found?.error).not.toContain(hidden);
    });
  });
}
