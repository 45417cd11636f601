/** Every way in which a signature's header or the body under it can be spoilt, as rows for the suite. */
import type { VerificationFailure } from "#protocol/delivery.ts";
import type { ListenerCase, SignatureForm } from "./listener-case.ts";

/** What becomes of a good header: its values, one for each header of that name. */
export interface BrokenHeader {
  title: string;
  values(good: string): string[];
  failure: VerificationFailure;
}

export interface BrokenBody {
  title: string;
  body(good: string): string;
}

export function brokenHeaders(form: SignatureForm): BrokenHeader[] {
  const { encoding } = form;
  const missing = form.missing ?? "signature_missing";
  const wrong = form.wrong ?? "signature_wrong";
  const always: BrokenHeader[] = [
    { title: "a missing header", values: () => [], failure: missing },
    { title: "an empty header", values: () => [""], failure: missing },
  ];
  if (encoding === "token") {
    return [
      ...always,
      { title: "another token", values: (good) => [`${good}x`], failure: wrong },
      { title: "a cut token", values: (good) => [good.slice(0, -1)], failure: wrong },
    ];
  }
  const malformed = (title: string, spoil: (digest: string) => string): BrokenHeader => ({
    title,
    values: (good) => [form.prefix + spoil(good.slice(form.prefix.length))],
    failure: "signature_malformed",
  });
  const rows = [
    ...always,
    malformed("a digest cut by a character", (digest) => digest.slice(0, -1)),
    malformed("a digest cut by a byte", (digest) => digest.slice(0, -2)),
    malformed("a digest with a byte too many", (digest) => `${digest}00`),
    malformed("a digest with junk in it", (digest) => `${digest.slice(0, 10)}!!${digest.slice(12)}`),
    malformed("a digest with junk between its bytes", (digest) => digest.replace(/(..)/g, "$1:")),
    malformed("a digest with a blank in it", (digest) => `${digest.slice(0, 10)} ${digest.slice(10)}`),
    malformed("a digest in the other encoding", (digest) => recoded(digest, encoding)),
    malformed("the prefix of another source", (digest) => `md5=${digest}`),
  ];
  rows.push({ title: "a digest of zeros", values: () => [form.prefix + zeros(encoding, form.bytes)], failure: wrong });
  if (encoding === "hex") rows.push(malformed("a digest in capitals", (digest) => digest.toUpperCase()));
  if (form.prefix !== "") {
    rows.push(malformed("no digest at all", () => ""));
    const bare = (good: string) => good.slice(form.prefix.length);
    rows.push({ title: "a digest without its prefix", values: (good) => [bare(good)], failure: "signature_malformed" });
    const shouted = form.prefix.toUpperCase();
    rows.push({
      title: "a prefix in capitals",
      values: (good) => [shouted + bare(good)],
      failure: "signature_malformed",
    });
  }
  if (form.isList !== true) {
    rows.push({ title: "the header twice", values: (good) => [good, good], failure: "signature_malformed" });
    rows.push({ title: "a list", values: (good) => [`${good},${good}`], failure: "signature_malformed" });
  }
  return rows;
}

export function brokenBodies({ coversBody }: ListenerCase): BrokenBody[] {
  if (!coversBody) return [];
  return [
    { title: "no body", body: () => "" },
    { title: "a body cut short", body: (good) => good.slice(0, -1) },
    { title: "a body with a line break after it", body: (good) => `${good}\n` },
    { title: "a body with another letter", body: (good) => good.replace(/[a-z]/, (letter) => letter.toUpperCase()) },
    { title: "a body written anew", body: rewritten },
  ];
}

/** The same JSON, or the same form, in other bytes. */
function rewritten(body: string): string {
  return body.startsWith("{") ? JSON.stringify(JSON.parse(body), null, 1) : `${body}&`;
}

function recoded(digest: string, encoding: "hex" | "base64"): string {
  if (encoding === "base64") return Array.from(atob(digest), (char) => hex(char.charCodeAt(0))).join("");
  const bytes = (digest.match(/../g) ?? []).map((pair) => Number.parseInt(pair, 16));
  return btoa(String.fromCharCode(...bytes));
}

function zeros(encoding: "hex" | "base64", bytes = 32): string {
  return encoding === "hex" ? "00".repeat(bytes) : btoa("\0".repeat(bytes));
}

function hex(byte: number): string {
  return byte.toString(16).padStart(2, "0");
}
