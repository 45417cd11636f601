/** Parsers of bytes: whatever comes, in whatever pieces, they throw what they name, and read the same in one piece as in many. */
import { Buffer } from "node:buffer";
import { deflateSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect } from "vitest";
import { helloName } from "#sandbox-runner/network/client-hello.ts";
import { JsonFault, JsonScanner, type JsonVisitor } from "#worker/http/json-scanner.ts";
import { isForm, payloadOf } from "#worker/inbound/sources/github/form.ts";
import { base64Bytes, base64Digest, hexDigest } from "#worker/inbound/sources/hmac.ts";
import { jsonObject, plainObject } from "#worker/inbound/sources/payload.ts";
import { HeldBody } from "#worker/proxy/git/held-body.ts";
import { inflate } from "#worker/proxy/git/inflate.ts";
import { applyDelta, Commits, packEntry, packHeader } from "#worker/proxy/git/pack-objects.ts";
import { PacketReader, packet, packetAt } from "#worker/proxy/git/pkt-line.ts";
import { PushReport } from "#worker/proxy/git/push-report.ts";
import { parsePush } from "#worker/proxy/git/push-request.ts";
import { readPush } from "#worker/proxy/git/read-push.ts";
import { readRefs } from "#worker/proxy/git/read-refs.ts";
import { RequestReader, RequestRefused } from "#worker/proxy/model/request-reader.ts";
import { usageMeter } from "#worker/proxy/model/usage-meter.ts";
import { WellFormedBytes } from "#worker/proxy/model/well-formed-bytes.ts";
import { holds } from "./support/holds.ts";
import { bytesOf, piecesOf } from "./support/inputs.ts";

const encode = (text: string) => new TextEncoder().encode(text);
const [OLD, NEW] = ["a".repeat(40), "b".repeat(40)];
const sizes = fc.array(fc.integer({ min: 0, max: 9 }), { maxLength: 12 });
const inPieces = (examples: readonly Uint8Array[]) => fc.tuple(bytesOf(examples), sizes);

/** What a parser makes of bytes, or the name of what it throws, which must be one of these. */
function outcome<Answer>(
  parse: () => Answer,
  ...mayThrow: (abstract new (
    ...values: never[]
  ) => Error)[]
): Answer | string {
  try {
    return parse();
  } catch (error) {
    const known = mayThrow.find((one) => error instanceof one);
    if (known === undefined) throw error;
    return known.name;
  }
}

function streamOf(pieces: readonly Uint8Array[]): ReadableStream<Uint8Array> {
  const left = pieces.filter(({ length }) => length > 0);
  return new ReadableStream({
    pull: (controller) => {
      const next = left.shift();
      if (next === undefined) controller.close();
      else controller.enqueue(next);
    },
  });
}

describe("git", () => {
  const commands = packet(`${OLD} ${NEW} refs/heads/claude/x\0report-status push-options agent=git/2.47\n`);
  const push = Uint8Array.from([...commands, ...encode("0000"), ...packet("option"), ...encode("0000PACK")]);
  const report = Uint8Array.from([
    ...packet("unpack ok\n"),
    ...packet("ok refs/heads/a\n"),
    ...packet("ng refs/heads/b no\n"),
    ...encode("0000"),
  ]);
  const refs = Uint8Array.from([
    ...packet("# service=git-upload-pack\n"),
    ...encode("0000"),
    ...packet(`${OLD} HEAD\0x\n`),
    ...packet(`${NEW} refs/heads/main\n`),
    ...encode("0000"),
  ]);

  holds("packets are the same in any pieces", inPieces([push, report, refs]), ([bytes, cuts]) => {
    const read = (pieces: readonly Uint8Array[]) =>
      outcome(() => {
        const reader = new PacketReader();
        return pieces.flatMap((piece) => [...reader.push(piece)]);
      }, RangeError);
    expect(read(piecesOf(bytes, cuts))).toEqual(read([bytes]));
    outcome(() => packetAt(bytes, 0), RangeError);
  });

  holds("commands of a push are those that it has, or it is none", bytesOf([commands.slice(4)]), (bytes) => {
    const read = outcome(() => parsePush([bytes, bytes]), RangeError);
    if (typeof read === "string") return;
    for (const { ref } of read.commands) expect(ref).not.toBe("");
  });

  holds("a push's beginning is read, or refused", inPieces([push]), async ([bytes, cuts]) => {
    const read = await readPush(new HeldBody(streamOf(piecesOf(bytes, cuts))));
    if (read.ok) expect(read.value.packAt).toBeLessThanOrEqual(bytes.length);
    else expect(read.refusal.code).toMatch(/^(?:invalid_request|body_too_large)$/);
  });

  holds("a report names the same refs in any pieces", inPieces([report]), ([bytes, cuts]) => {
    const read = (pieces: readonly Uint8Array[]) => {
      const one = new PushReport();
      for (const piece of pieces) one.push(piece);
      return [[...one.accepted()], [...one.refused()]];
    };
    expect(read(piecesOf(bytes, cuts))).toEqual(read([bytes]));
  });

  holds("refs that an upstream tells are objects' names", inPieces([refs]), async ([bytes, cuts]) => {
    const wanted = new Set(["refs/heads/main", "HEAD"]);
    const pieces = piecesOf(bytes, cuts);
    const read = await readRefs(streamOf(pieces), wanted, 10_000).catch((error: unknown) => error);
    if (read instanceof Map) for (const object of read.values()) expect(object).toMatch(/^[0-9a-f]{40,64}$/);
    else expect(read).toBeInstanceOf(RangeError);
  });

  const content = encode(`tree ${OLD}\nparent ${NEW}\n\nx`);
  const packed = Uint8Array.from([0x90 | (content.length & 15), content.length >> 4, ...deflateSync(content)]);
  const header = Uint8Array.from([...encode("PACK"), 0, 0, 0, 2, 0, 0, 0, 1]);
  const delta = Uint8Array.from([content.length, 4, 0x90, 3, 1, 65]);

  holds(
    "entries of a pack are commits, or something else",
    bytesOf([packed, Uint8Array.from([...header, ...packed])]),
    (bytes) => {
      const step = outcome(() => packEntry(bytes, 0, new Commits()), RangeError);
      if (typeof step !== "string" && step.kind === "commit") {
        expect(step.end).toBeLessThanOrEqual(bytes.length);
        expect(step.content.length).toBeLessThanOrEqual(1_048_576);
      }
      outcome(() => packHeader(bytes, 0), RangeError);
    },
  );

  holds("deltas give as much as they say", bytesOf([delta]), (bytes) => {
    const made = outcome(() => applyDelta(content, bytes), RangeError);
    if (typeof made !== "string") expect(made.length).toBeLessThanOrEqual(1_048_576);
  });

  holds(
    "inflating gives what zlib does",
    fc.tuple(bytesOf([deflateSync(content), deflateSync(encode("a".repeat(300)), { level: 9 })]), fc.nat(400)),
    ([bytes, size]) => {
      const made = outcome(() => inflate(bytes, 0, size), RangeError);
      if (typeof made !== "string" && made !== null) expect(made.data.length).toBe(size);
    },
  );
});

describe("the beginning of TLS", () => {
  const name = encode("mcp.acme.dev");
  const names = [0, name.length + 3, 0, 0, name.length, ...name];
  const extension = [0, 0, 0, names.length, ...names];
  const hello = [3, 3, ...Array<number>(32).fill(7), 0, 0, 2, 0x13, 1, 1, 0, 0, extension.length, ...extension];
  const record = Uint8Array.from([22, 3, 1, 0, hello.length + 4, 1, 0, 0, hello.length, ...hello]);

  holds("names one host, or none", bytesOf([record]), (bytes) => {
    const read = helloName(Buffer.from(bytes));
    expect(["more", "not_tls", "hello"]).toContain(read.kind);
    if (read.kind === "hello" && read.name !== null) expect(read.name.length).toBeLessThan(256);
  });
});

describe("JSON", () => {
  const examples = [
    '{"a":[1,-2.5e3,true,null,"\\ud83d\\ude00ä"],"__proto__":{"b":{}}}',
    '[[[["x"]]]]',
    '"\\u00e4"',
  ].map(encode);
  const nobody: JsonVisitor = { key: () => {}, begin: () => {}, end: () => {} };

  holds("is what the language takes for it, in any pieces", inPieces(examples), ([bytes, cuts]) => {
    const read = (pieces: readonly Uint8Array[]) =>
      outcome(() => {
        const scanner = new JsonScanner(nobody, { nesting: 20, text: 16 });
        for (const piece of pieces) scanner.push(piece);
        scanner.finish();
        return "JSON";
      }, JsonFault);
    const whole = read([bytes]);
    expect(read(piecesOf(bytes, cuts))).toBe(whole);
    if (whole === "JSON") JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes));
    const object = jsonObject(bytes);
    expect(object === null).toBe(plainObject(bytes) === null);
  });

  holds(
    "loses halves of characters alike in any pieces",
    inPieces([encode('{"a":"\\ud800\\udc00\\ud800x\\\\ud800"}')]),
    ([bytes, cuts]) => {
      const read = (pieces: readonly Uint8Array[]) => {
        const one = new WellFormedBytes();
        const parts = pieces.map((piece) => [...one.push(piece.slice())]);
        return [...parts.flat(), ...one.rest()];
      };
      expect(read(piecesOf(bytes, cuts))).toEqual(read([bytes]));
    },
  );

  const request = encode(
    '{"model":"claude-sonnet-5","max_tokens":1,"messages":[{"role":"user","content":[{"type":"text","text":"x"}]}],"tools":[{"type":"custom","name":"a"}],"x_gateway":1}',
  );
  holds("of a model's request is read alike in any pieces", inPieces([request]), ([bytes, cuts]) => {
    const read = (pieces: readonly Uint8Array[]) =>
      outcome(() => {
        const out: number[] = [];
        const reader = new RequestReader(
          { known: new Set(["model", "max_tokens", "messages", "tools"]), reachesAll: false },
          (piece) => void out.push(...piece),
        );
        for (const piece of pieces) reader.push(piece);
        return [...reader.finish()].toString() + out.length;
      }, RequestRefused);
    expect(read(piecesOf(bytes, cuts))).toBe(read([bytes]));
  });

  const stream = encode(
    'data: {"type":"message_start","message":{"usage":{"input_tokens":3,"output_tokens":1}}}\n\ndata: {"type":"message_delta","usage":{"output_tokens":-9e99}}\n\ndata: {"type":"message_stop"}\n\n',
  );
  holds("of a model's answer counts what can be counted", inPieces([stream]), ([bytes, cuts]) => {
    for (const type of ["text/event-stream", "application/json"]) {
      const meter = usageMeter(type);
      for (const piece of piecesOf(bytes, cuts)) meter.push(piece);
      for (const count of Object.values(meter.tokens())) {
        if (typeof count === "number") expect(count).toBeGreaterThanOrEqual(0);
      }
    }
  });
});

describe("what is signed", () => {
  holds(
    "digests have their length, or are none",
    bytesOf([encode("a".repeat(64)), encode("sha256=00"), encode("AAAA====")]),
    (bytes) => {
      const text = new TextDecoder("latin1").decode(bytes);
      for (const digest of [hexDigest(text, "sha256"), base64Digest(text, "sha256")]) {
        if (digest !== null) expect(digest).toHaveLength(32);
      }
      base64Bytes(text);
    },
  );

  holds(
    "forms give their payload as bytes",
    bytesOf([encode("payload=%7B%22a%22%3A1%7D&b=%ff"), encode("payload")]),
    (bytes) => {
      const type = "application/x-www-form-urlencoded";
      expect(isForm(type)).toBe(true);
      expect(payloadOf({ "content-type": type }, bytes)).toBeInstanceOf(Uint8Array);
    },
  );
});
