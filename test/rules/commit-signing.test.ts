/** Which keys sign commits, and what they sign: commits of the run's identity, and nothing that only looks like one. */
import { describe, expect, it } from "vitest";
import { readCommitKey } from "#instance/commit-key.ts";
import { payloadFault } from "#worker/proxy/sign/commit-payload.ts";

const WHO = { name: "Acme [bot]", email: "bot@acme.example" };
const TREE = "a".repeat(40);
const commit = (change: Partial<Record<"head" | "author" | "committer" | "rest", string>> = {}) => {
  const { head = `tree ${TREE}\nparent ${TREE}`, rest = "\n\nWords" } = change;
  const { author = "Ada <ada@example.com> 1 +0100", committer = `${WHO.name} <${WHO.email}> 1 +0000` } = change;
  return `${head}\nauthor ${author}\ncommitter ${committer}${rest}`;
};

describe("what is to be signed", () => {
  it.each<[string, string, boolean]>([
    ["a commit", commit(), true],
    ["a first commit", commit({ head: `tree ${TREE}` }), true],
    ["a merge", commit({ head: `tree ${TREE}\nparent ${TREE}\nparent ${TREE}` }), true],
    ["one of SHA-256", commit({ head: `tree ${"b".repeat(64)}` }), true],
    ["one in another encoding", commit({ rest: "\nencoding ISO-8859-1\n\nx" }), true],
    ["an empty message", commit({ rest: "\n\n" }), true],
    ["another committer", commit({ committer: "Eve <bot@acme.example> 1 +0000" }), false],
    ["another address", commit({ committer: "Acme [bot] <eve@acme.example> 1 +0000" }), false],
    [
      "a committer in the message alone",
      commit({ committer: "Eve <e@x.example> 1 +0000", rest: `\n\ncommitter ${WHO.name} <${WHO.email}> 1 +0000\n\n` }),
      false,
    ],
    ["a second committer", commit({ rest: `\ncommitter ${WHO.name} <${WHO.email}> 1 +0000\n\nx` }), false],
    ["one that has a signature", commit({ rest: "\ngpgsig -----BEGIN\n\nx" }), false],
    ["a merge of a tag", commit({ rest: "\nmergetag object a\n\nx" }), false],
    ["a tag", `object ${TREE}\ntype commit\ntag v1\ntagger ${WHO.name} <${WHO.email}> 1 +0000\n\nx`, false],
    ["no end of its headers", commit({ rest: "" }), false],
    ["a text", "tree", false],
    ["nothing", "", false],
  ])("%s: %s", (_what, payload, isSigned) => {
    expect(payloadFault(new TextEncoder().encode(payload), WHO) === null).toBe(isSigned);
  });
});

describe("a signing key", () => {
  const field = (bytes: Uint8Array | string) => {
    const content = Buffer.from(bytes as string);
    const length = Buffer.alloc(4);
    length.writeUInt32BE(content.length);
    return Buffer.concat([length, content]);
  };
  const one = Buffer.from([0, 0, 0, 1]);
  const keyOf = ({ cipher = "none", type = "ssh-ed25519", check = one, pair = 64, keys = one, end = 0 }) => {
    const publicKey = Buffer.alloc(32, 7);
    const both = Buffer.concat([Buffer.alloc(32, 9), publicKey, Buffer.alloc(64)]).subarray(0, pair);
    const secret = Buffer.concat([one, check, field(type), field(publicKey), field(both), field("note")]);
    const blob = Buffer.concat([field(type), field(publicKey)]);
    const parts = [
      Buffer.from("openssh-key-v1\0"),
      field(cipher),
      field("none"),
      field(""),
      keys,
      field(blob),
      field(secret),
    ];
    const bytes = Buffer.concat(parts);
    const lines =
      bytes
        .subarray(0, bytes.length - end)
        .toString("base64")
        .match(/.{1,70}/g) ?? [];
    return ["-----BEGIN OPENSSH PRIVATE KEY-----", ...lines, "-----END OPENSSH PRIVATE KEY-----", ""].join("\n");
  };

  it.each<[string, string, boolean]>([
    ["as ssh-keygen writes it", keyOf({}), true],
    ["on one line", keyOf({}).replaceAll("\n", "\\n"), true],
    ["with line breaks of Windows", keyOf({}).replaceAll("\n", "\r\n"), true],
    ["with a passphrase", keyOf({ cipher: "aes256-ctr" }), false],
    ["of another type", keyOf({ type: "ssh-rsa" }), false],
    ["whose checks differ", keyOf({ check: Buffer.alloc(4) }), false],
    ["with a short secret", keyOf({ pair: 32 }), false],
    ["of two keys", keyOf({ keys: Buffer.from([0, 0, 0, 2]) }), false],
    ["that is cut off", keyOf({ end: 60 }), false],
    ["of another format", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----", false],
    ["that is no base64", "-----BEGIN OPENSSH PRIVATE KEY-----\nA===A\n-----END OPENSSH PRIVATE KEY-----", false],
    ["that is empty", "", false],
  ])("%s is taken: %s", (_what, text, isTaken) => {
    const key = readCommitKey(text);
    expect(key !== null).toBe(isTaken);
    if (key !== null) expect([...key.seed]).toEqual(Array(32).fill(9));
  });
});
