/** What a button of a message stands for, signed: one answer to one question, until the question is over. */
import { z } from "zod";
import { runIdSchema } from "#protocol/ids.ts";
import { questionIdSchema } from "#protocol/question.ts";
import type { InForce } from "../in-force.ts";

const offeredSchema = z.object({
  run_id: runIdSchema,
  question_id: questionIdSchema,
  /** The place of a choice, or whether a call may be made. */
  answer: z.union([z.int().min(0), z.boolean()]),
  /** Unix milliseconds. */
  until_ms: z.number(),
});
export type OfferedAnswer = z.infer<typeof offeredSchema>;

const encoder = new TextEncoder();
const FORM = /^([\w-]+)\.([0-9a-f]{64})$/;

/** @param signingKey the instance's present one. @returns at most 500 characters. */
export async function makeAnswerToken(signingKey: string, offered: OfferedAnswer): Promise<string> {
  const text = toText(JSON.stringify(offered));
  const mac = new Uint8Array(await crypto.subtle.sign("HMAC", await hmacKey(signingKey), signedText(text)));
  return `${text}.${Array.from(mac, (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}

/** @returns null for what is none of ours, or is over. */
export async function readAnswerToken(
  signingKeys: InForce,
  token: string,
  nowMs: number,
): Promise<OfferedAnswer | null> {
  const [, text = "", mac = ""] = FORM.exec(token) ?? [];
  const bytes = Uint8Array.from(mac.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
  const checked = signingKeys.map(async (key) =>
    crypto.subtle.verify("HMAC", await hmacKey(key), bytes, signedText(text)),
  );
  if (!(await Promise.all(checked)).includes(true)) return null;
  const offered = offeredSchema.parse(JSON.parse(fromText(text)));
  return offered.until_ms > nowMs ? offered : null;
}

function signedText(text: string) {
  return encoder.encode(`answer-token/${text}`);
}

function hmacKey(signingKey: string) {
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  return crypto.subtle.importKey("raw", encoder.encode(signingKey), algorithm, false, ["sign", "verify"]);
}

/** Ids have no character beyond a byte but what an agent's program has made up: JSON escapes none, so bytes are taken. */
function toText(json: string): string {
  const bytes = String.fromCharCode(...encoder.encode(json));
  return btoa(bytes).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

function fromText(text: string): string {
  const bytes = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return new TextDecoder().decode(Uint8Array.from(bytes, (char) => char.charCodeAt(0)));
}
