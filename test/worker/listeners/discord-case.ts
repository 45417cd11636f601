/** How Discord signs, and what the suite must know of it. */
import { discord } from "#worker/inbound/sources/discord.ts";
import { discordSamples } from "./discord-samples.ts";
import type { ListenerCase, SourceSends } from "./listener-case.ts";
import { sampleOf } from "./sample-of.ts";
import { bytesOf } from "./signing.ts";

/** RFC 8032, 7.1, tests 1 and 2: public keys with the private ones, since an app signs with what Reveille never sees. */
const PAIRS = {
  d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a:
    "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
  "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c":
    "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
};
const [FIRST, SECOND] = Object.keys(PAIRS) as [keyof typeof PAIRS, keyof typeof PAIRS];
/** What stands before a seed where it is told as PKCS #8. */
const PKCS8 = "302e020100300506032b657004220420";

const PAGE = "https://docs.discord.com/developers/interactions/receiving-and-responding";
const EVENTS = "https://docs.discord.com/developers/events/webhook-events";
const of = (title: string, page = PAGE) => sampleOf(discordSamples, title, page);
const sends: SourceSends = {
  // Interactions are sent once.
  onRetry: { ...of("that an app was added", EVENTS), knownBy: "id" },
  onEdit: { doesNotExist: "Discord tells apps of changed messages over its Gateway alone.", page: EVENTS },
  onDelete: of("that it was taken away", EVENTS),
  largest: { ...of("a form with an answer"), bytes: 4_000 },
  rarestEncoding: of("a command on a message"),
};

function hexBytes(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

/** @param publicKey of one of the pairs: what else signs nothing that counts. */
export async function signAsDiscord(publicKey: string, message: Uint8Array<ArrayBuffer>): Promise<string> {
  const seed = Object.entries(PAIRS).find(([known]) => known === publicKey)?.[1] ?? "00".repeat(32);
  const key = await crypto.subtle.importKey("pkcs8", hexBytes(PKCS8 + seed), { name: "Ed25519" }, false, ["sign"]);
  const signature = new Uint8Array(await crypto.subtle.sign({ name: "Ed25519" }, key, message));
  return Array.from(signature, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export const DISCORD_KEY = FIRST;

export const discordCase: ListenerCase = {
  listener: discord,
  documentation: [
    "https://docs.discord.com/developers/interactions/receiving-and-responding",
    "https://docs.discord.com/developers/events/webhook-events",
  ],
  secrets: [FIRST, SECOND],
  signature: { header: "x-signature-ed25519", prefix: "", encoding: "hex", bytes: 64 },
  coversBody: true,
  windowSeconds: 300,
  pastSeconds: 900,
  async sign(body, secret, atMs) {
    const time = String(Math.floor(atMs / 1_000));
    const head = bytesOf(time);
    const message = new Uint8Array(head.length + body.length);
    message.set(head);
    message.set(body, head.length);
    return { "x-signature-timestamp": time, "x-signature-ed25519": await signAsDiscord(secret, message) };
  },
  samples: discordSamples,
  sends,
  refusals: [
    { title: "no time", headers: { "x-signature-timestamp": null }, failure: "time_missing" },
    { title: "a time that is a word", headers: { "x-signature-timestamp": "now" }, failure: "time_missing" },
    { title: "another time", headers: { "x-signature-timestamp": "1795166401" }, failure: "signature_wrong" },
    { title: "a key that is none", secrets: ["not a key"], failure: "signature_wrong" },
    { title: "a key that is no point", secrets: ["ff".repeat(32)], failure: "signature_wrong" },
  ],
};
