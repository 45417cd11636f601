/** What a mailbox is sent: one text in two forms, as plain text and as HTML that loads nothing. Pure. */
import { z } from "zod";
import { evidenceLines, sessionUrl, shortened, type Told } from "./notification-body.ts";
import { sentenceOf } from "./notify.ts";

const mailSchema = z.object({ subject: z.string(), text: z.string(), html: z.string() });
export type MailText = z.infer<typeof mailSchema>;

const SUBJECT_LIMIT = 200;
const PART_LIMIT = 4_000;
/** Line breaks and control characters, with those that turn the direction of a text around. */
const NOT_IN_A_LINE = /[\p{Cc}\p{Zl}\p{Zp}\u202A-\u202E\u2066-\u2069]+/gu;

/** @returns what `readMail` reads. */
export function mailBody({ kind, fact, routine, run, publicUrl }: Told): string {
  const sentence = sentenceOf(kind, routine.name).replace(NOT_IN_A_LINE, " ");
  const written = [fact.detail, run?.error?.message ?? null, run?.summary ?? null];
  const parts = written.flatMap((text) =>
    text === null || text.trim() === "" ? [] : [shortened(text.trim(), PART_LIMIT)],
  );
  const evidence = run === null ? [] : [evidenceLines(run).join("\n")];
  const paragraphs = [`${sentence}.`, ...parts, ...evidence];
  const link = linkOf({ routine, run, publicUrl });
  const mail: MailText = {
    subject: shortened(sentence, SUBJECT_LIMIT),
    text: `${[...paragraphs, ...(link === null ? [] : [`${link.words}: ${link.url}`])].join("\n\n")}\n`,
    html: htmlOf(paragraphs, link),
  };
  return JSON.stringify(mail);
}

export function readMail(body: string): MailText {
  return mailSchema.parse(JSON.parse(body));
}

interface Link {
  words: string;
  url: string;
}

function linkOf({ routine, run, publicUrl }: Pick<Told, "routine" | "run" | "publicUrl">): Link | null {
  if (publicUrl === null) return null;
  const ofSession = run === null ? null : sessionUrl(run.session_id, publicUrl);
  if (ofSession !== null) return { words: "Open the session", url: ofSession };
  return { words: "Open the routine", url: new URL(`/routines/${routine.id}`, publicUrl).href };
}

function htmlOf(paragraphs: readonly string[], link: Link | null): string {
  const written = paragraphs.map((text) => `<p style="white-space:pre-wrap">${escaped(text)}</p>`);
  const linked = link === null ? [] : [`<p><a href="${escaped(link.url)}">${escaped(link.words)}</a></p>`];
  return `<!doctype html><html><body>${[...written, ...linked].join("")}</body></html>`;
}

const ESCAPES: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (sign) => ESCAPES[sign] ?? "");
}
