/**
 * What a button stands for where it can hold little: Telegram takes 64 bytes, Discord 100 characters. One answer to one
 * question of one run, signed. Of the question there is a mark, which its run's object knows it by; its time is that of the
 * question.
 */
import type { InForce } from "../in-force.ts";

/** The place of a choice, or whether a call may be made. */
interface MarkedAnswer {
  run_id: string;
  /** From `markOf`. */
  mark: string;
  answer: number | boolean;
}

const encoder = new TextEncoder();
const RUN = "run_";
/** The run without its prefix, the answer, the mark, and 72 bits of the signature: 62 characters. */
const FORM = /^([0-9A-HJKMNP-TV-Z]{26})([0-9]{2}|ya|no)([\w-]{22})([\w-]{12})$/;
const MARK_BYTES = 16;
const MAC_BYTES = 9;

/** 128 bits of the digest of a question's id, which may be long. */
export async function markOf(questionId: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", encoder.encode(questionId));
  return base64Url(new Uint8Array(digest).slice(0, MARK_BYTES));
}

/** @param signingKey the instance's present one. */
export async function makeShortToken(signingKey: string, { run_id, mark, answer }: MarkedAnswer): Promise<string> {
  const text = `${run_id.slice(RUN.length)}${written(answer)}${mark}`;
  return `${text}${await macOf(signingKey, text)}`;
}

/** @returns null for what is none of ours. */
export async function readShortToken(signingKeys: InForce, token: string): Promise<MarkedAnswer | null> {
  const [, run = "", answer = "", mark = "", mac = ""] = FORM.exec(token) ?? [];
  if (mac === "") return null;
  const macs = await Promise.all(signingKeys.map((key) => macOf(key, `${run}${answer}${mark}`)));
  if (!macs.map((ours) => isSame(ours, mac)).includes(true)) return null;
  return { run_id: `${RUN}${run}`, mark, answer: answer === "ya" || (answer === "no" ? false : Number(answer)) };
}

function written(answer: number | boolean): string {
  if (typeof answer === "boolean") return answer ? "ya" : "no";
  return String(answer).padStart(2, "0");
}

async function macOf(signingKey: string, text: string): Promise<string> {
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const key = await crypto.subtle.importKey("raw", encoder.encode(signingKey), algorithm, false, ["sign"]);
  const mac = await crypto.subtle.sign("HMAC", key, encoder.encode(`short-answer-token/${text}`));
  return base64Url(new Uint8Array(mac).slice(0, MAC_BYTES));
}

/** Both have the same length; how long it takes tells nothing of where they differ. */
function isSame(one: string, other: string): boolean {
  let difference = one.length ^ other.length;
  for (let place = 0; place < one.length; place += 1) difference |= one.charCodeAt(place) ^ other.charCodeAt(place);
  return difference === 0;
}

function base64Url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");
}
