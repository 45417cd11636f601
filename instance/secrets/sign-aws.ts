/** AWS's signature, version 4, for requests without a query at the root of a host. Pure, but for the platform's cryptography. */
import { toHex } from "../attempt-token.ts";

export interface AwsCredentials {
  accessKeyId: string;
  secretAccessKey: string;
  /** Of credentials that are lent for a while; null for lasting ones. */
  sessionToken: string | null;
}

export interface RequestToSign {
  method: "GET" | "POST";
  host: string;
  headers: Readonly<Record<string, string>>;
  body: string;
  region: string;
  service: string;
}

const ALGORITHM = "AWS4-HMAC-SHA256";
const encoder = new TextEncoder();

/** @returns the headers that the request is sent with, beside `Host`. @param nowMs it is good for about five minutes around. */
export async function signAws(
  { method, host, headers, body, region, service }: RequestToSign,
  { accessKeyId, secretAccessKey, sessionToken }: AwsCredentials,
  nowMs: number,
): Promise<Record<string, string>> {
  const moment = new Date(nowMs).toISOString().replaceAll(/[-:]|\.\d{3}/g, "");
  const day = moment.slice(0, 8);
  const token = sessionToken === null ? {} : { "x-amz-security-token": sessionToken };
  const sent: Record<string, string> = { ...lowerCased(headers), "x-amz-date": moment, ...token };
  const signed = Object.entries({ ...sent, host }).toSorted(([a], [b]) => (a < b ? -1 : 1));
  const names = signed.map(([name]) => name).join(";");
  const lines = signed.map(([name, value]) => `${name}:${value}\n`).join("");
  const request = [method, "/", "", lines, names, await sha256(body)].join("\n");
  const scope = [day, region, service, "aws4_request"].join("/");
  let key = new Uint8Array(encoder.encode(`AWS4${secretAccessKey}`));
  for (const part of scope.split("/")) key = await hmac(key, part);
  const signature = toHex(await hmac(key, [ALGORITHM, moment, scope, await sha256(request)].join("\n")));
  const authorization = `${ALGORITHM} Credential=${accessKeyId}/${scope}, SignedHeaders=${names}, Signature=${signature}`;
  return { ...sent, authorization };
}

/** With one space where there are several. */
function lowerCased(headers: Readonly<Record<string, string>>): Record<string, string> {
  const trimmed = (value: string) => value.trim().replaceAll(/ +/g, " ");
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), trimmed(value)]));
}

async function sha256(text: string): Promise<string> {
  return toHex(new Uint8Array(await crypto.subtle.digest("SHA-256", encoder.encode(text))));
}

async function hmac(key: Uint8Array<ArrayBuffer>, text: string): Promise<Uint8Array<ArrayBuffer>> {
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const imported = await crypto.subtle.importKey("raw", key, algorithm, false, ["sign"]);
  return new Uint8Array(await crypto.subtle.sign("HMAC", imported, encoder.encode(text)));
}
