/** Git's wire format: packets, what a push asks for, and what the upstream reports of it. */
import { describe, expect, it, vi } from "vitest";
import type { HttpContext } from "#worker/http/http-env.ts";
import type { GitTarget } from "#worker/proxy/git/git-target.ts";
import { HeldBody } from "#worker/proxy/git/held-body.ts";
import { judgePush } from "#worker/proxy/git/judge-push.ts";
import { PacketReader } from "#worker/proxy/git/pkt-line.ts";
import { PushReport } from "#worker/proxy/git/push-report.ts";
import { parsePush, pushedBranches } from "#worker/proxy/git/push-request.ts";
import { readPush } from "#worker/proxy/git/read-push.ts";

const encoder = new TextEncoder();

function packet(text: string): string {
  return `${(encoder.encode(text).length + 4).toString(16).padStart(4, "0")}${text}`;
}

const OLD = "1".repeat(40);
const NEW = "2".repeat(40);
const NONE = "0".repeat(40);

describe("git's packets", () => {
  it.each([1, 3, 1_000])("are the same in pieces of %i bytes", (size) => {
    const bytes = encoder.encode(`${packet("ok refs/heads/a\n")}0000${packet("über")}`);
    const reader = new PacketReader();
    const texts: (string | null)[] = [];
    for (let offset = 0; offset < bytes.length; offset += size) {
      for (const found of reader.push(bytes.slice(offset, offset + size))) {
        texts.push(found === null ? null : new TextDecoder().decode(found));
      }
    }
    expect(texts).toEqual(["ok refs/heads/a\n", null, "über"]);
  });

  it.each(["zzzz", "0001", "0003", "-001", "PACK"])("%s is none", (text) => {
    expect(() => [...new PacketReader().push(encoder.encode(text))]).toThrow(RangeError);
  });

  it("tell what a push asks for", () => {
    const lines = [
      `shallow ${OLD}\n`,
      `${NONE} ${NEW} refs/heads/claude/x\0 report-status-v2 side-band-64k agent=git/2\n`,
    ];
    const push = parsePush([...lines, `${OLD} ${NONE} refs/heads/gone`].map((line) => encoder.encode(line)));
    expect(push.commands).toMatchObject([
      { previous: NONE, commit: NEW, ref: "refs/heads/claude/x" },
      { previous: OLD, commit: NONE, ref: "refs/heads/gone" },
    ]);
    expect([...push.features]).toEqual(["report-status-v2", "side-band-64k", "agent"]);
    expect(parsePush([encoder.encode("push-cert\0x")])).toMatchObject({ isSigned: true, commands: [] });
  });

  it.each([
    ["plain", (lines: string) => lines],
    [
      "in a side band",
      (lines: string) =>
        packet(`\u0002Resolving deltas\n`) +
        packet(`\u0001${lines.slice(0, 9)}`) +
        packet(`\u0001${lines.slice(9)}`) +
        "0000",
    ],
  ])("tell what the upstream took: %s", (_how, wrap) => {
    const lines = `${packet("unpack ok\n")}${packet("ok refs/heads/a\n")}${packet("ng refs/heads/b protected\n")}0000`;
    const report = new PushReport();
    for (const byte of encoder.encode(wrap(lines))) report.push(new Uint8Array([byte]));
    expect([...report.accepted()]).toEqual(["refs/heads/a"]);
  });

  it("that go on without end are not kept", () => {
    const report = new PushReport();
    for (let count = 0; count < 1_100; count += 1) report.push(encoder.encode(packet(`ng refs/heads/${count} no\n`)));
    expect(report.refused().size).toBe(1_000);
  });

  it("that are none tell nothing, and break nothing", () => {
    const report = new PushReport();
    report.push(encoder.encode("<html>"));
    report.push(encoder.encode(packet("ok refs/heads/a\n")));
    expect(report.accepted().size).toBe(0);
  });

  it("give the branches that were set, not those that were deleted or refused, and no tags", () => {
    const commands = [
      { previous: NONE, commit: NEW, ref: "refs/heads/new" },
      { previous: OLD, commit: NEW, ref: "refs/heads/moved" },
      { previous: OLD, commit: NONE, ref: "refs/heads/deleted" },
      { previous: NONE, commit: NEW, ref: "refs/heads/refused" },
      { previous: NONE, commit: NEW, ref: "refs/tags/v1" },
    ];
    const accepted = new Set(["refs/heads/new", "refs/heads/moved", "refs/heads/deleted", "refs/tags/v1"]);
    expect(pushedBranches(commands, accepted)).toEqual([
      { branch: "new", commit: NEW, previous: null },
      { branch: "moved", commit: NEW, previous: OLD },
    ]);
  });
});

describe("the start of a push", () => {
  function inPieces(text: string, size: number, onLeave: () => void = () => {}): ReadableStream<Uint8Array> {
    const bytes = encoder.encode(text);
    let offset = 0;
    return new ReadableStream({
      pull: (controller) => {
        if (offset >= bytes.length) return controller.close();
        controller.enqueue(bytes.slice(offset, offset + size));
        offset += size;
      },
      cancel: onLeave,
    });
  }
  const whole = `${packet(`${NONE} ${NEW} refs/heads/x\0report-status`)}0000PACK and what follows`;

  it.each([1, 64, 10_000])("is read, and all of it is passed on, in pieces of %i bytes", async (size) => {
    for (const through of [new IdentityTransformStream(), new FixedLengthStream(whole.length)]) {
      const held = new HeldBody(inPieces(whole, size));
      const read = await readPush(held);
      if (!read.ok) throw new Error(read.refusal.code);
      expect(read.value.commands).toMatchObject([{ previous: NONE, commit: NEW, ref: "refs/heads/x" }]);
      expect(whole.slice(read.value.packAt)).toBe("PACK and what follows");
      const [text] = await Promise.all([new Response(through.readable).text(), held.send(through.writable)]);
      expect(text).toBe(whole);
    }
  });

  it.each([
    ["", "invalid_request"],
    ["0", "invalid_request"],
    ["PACK", "invalid_request"],
    [packet("hello"), "invalid_request"],
    [`${packet("hello")}0000`, "invalid_request"],
    [packet(`${NONE} ${NEW} refs/heads/${"x".repeat(60_000)}`).repeat(20), "body_too_large"],
  ])("%.20s is refused: %s", async (text, code) => {
    expect(await readPush(new HeldBody(inPieces(text, 50_000)))).toMatchObject({ ok: false, refusal: { code } });
    if (text.length < 4) return;
    const onLeave = vi.fn();
    await readPush(new HeldBody(inPieces(`${text}${"0".repeat(200_000)}`, 50_000, onLeave)));
    expect(onLeave).toHaveBeenCalledOnce();
  });

  it("is left when the run's object can't be asked about it", async () => {
    const onLeave = vi.fn();
    const text = `${packet(`${OLD} ${NEW} refs/heads/x\0report-status`)}0000PACK${"0".repeat(200_000)}`;
    const gitRepository = () => Promise.reject(new Error("the object was reset"));
    const context = { var: { deps: { ownerOf: () => ({ gitRepository }) } } } as unknown as HttpContext;
    const rule = { push: "prefix", push_prefix: "x" } as const;
    const lease = { run_id: "run_1", generation: 1 };
    const cause = { routine_id: "rtn_1", run_id: "run_1", depth: 0 };
    const target: GitTarget = { url: "https://git.test/a", rule, key: 1, own: [], cause, lease, number: 0 };
    await expect(judgePush(context, target, inPieces(text, 50_000, onLeave))).rejects.toThrow("reset");
    expect(onLeave).toHaveBeenCalledOnce();
  });

  it("costs as much as it is long, however small its pieces are", async () => {
    let moved = 0;
    const set = vi.spyOn(Uint8Array.prototype, "set").mockImplementation(function (this: Uint8Array, from, at = 0) {
      moved += from.length;
      for (let place = 0; place < from.length; place += 1) this[at + place] = from[place] ?? 0;
    });
    const text = `${packet(`${NONE} ${NEW} refs/heads/${"x".repeat(900)}\0report-status`).repeat(40)}0000`;
    await readPush(new HeldBody(inPieces(text, 1)));
    const report = new PushReport();
    for (const byte of encoder.encode(packet(`\u0001${packet("x".repeat(30_000))}`)))
      report.push(new Uint8Array([byte]));
    set.mockRestore();
    expect(moved).toBeLessThan(10 * (text.length + 2 * 30_000));
  });
});
