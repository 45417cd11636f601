/** A push is read as git reads it: the same requests to the proxy's reader and to a real `git receive-pack`. */
import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { HeldBody } from "#worker/proxy/git/held-body.ts";
import { PushReport } from "#worker/proxy/git/push-report.ts";
import { type ReadPush, readPush } from "#worker/proxy/git/read-push.ts";
import { chance } from "./support/random.ts";

const ENVIRONMENT = { ...process.env, GIT_CONFIG_GLOBAL: "/dev/null", GIT_CONFIG_NOSYSTEM: "1" };
const NONE = "0".repeat(40);

let folder: string;
let bare: string;
let commit: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "reveille-receive-"));
  bare = join(folder, "up.git");
  const git = (...args: string[]) => execFileSync("git", args, { env: ENVIRONMENT, encoding: "utf8" }).trim();
  git("init", "--quiet", "--bare", "--template=", bare);
  const tree = git("-C", bare, "hash-object", "-t", "tree", "-w", "/dev/null");
  commit = git("-C", bare, "-c", "user.name=A", "-c", "user.email=a@b.c", "commit-tree", tree, "-m", "one");
  git("-C", bare, "config", "receive.advertisePushOptions", "true");
});
afterAll(() => rmSync(folder, { recursive: true }));

const latin1 = (text: string) => Buffer.from(text, "latin1");
const packet = (line: string) => latin1(`${(line.length + 4).toString(16).padStart(4, "0")}${line}`);
const FLUSH = latin1("0000");
const head = latin1("PACK\0\0\0\x02\0\0\0\0");
const EMPTY_PACK = Buffer.concat([head, createHash("sha1").update(head).digest()]);

interface Seen {
  refs: string[];
  hasReport: boolean;
  isInBands: boolean;
}

/** What git made of a request: which refs it read, and whether it tells of them. Null when it gave up. */
function asGit(request: Buffer): Seen | null {
  const end = spawnSync("git", ["receive-pack", "--stateless-rpc", bare], { input: request, env: ENVIRONMENT });
  const refs = execFileSync("git", ["-C", bare, "for-each-ref", "--format=%(refname)"], { encoding: "buffer" });
  const made = refs.toString("latin1").split("\n").filter(Boolean);
  for (const ref of made) {
    spawnSync("git", ["-C", bare, "update-ref", "--stdin"], { input: latin1(`delete ${ref}\n`), env: ENVIRONMENT });
  }
  if (end.status !== 0 && end.stdout.length === 0) return null;
  const report = new PushReport();
  report.push(end.stdout);
  const told = [...report.accepted(), ...report.refused()];
  return { refs: told.length > 0 ? told : made, hasReport: told.length > 0, isInBands: end.stdout[4] === 1 };
}

async function asProxy(request: Buffer): Promise<ReadPush | null> {
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => {
      controller.enqueue(new Uint8Array(request));
      controller.close();
    },
  });
  const read = await readPush(new HeldBody(body));
  return read.ok ? read.value : null;
}

const command = (ref: string, rest = "") => packet(`${NONE} ${commit} ${ref}${rest}`);
const HEADS = "refs/heads";

it.each<[string, () => Buffer[], (string | null)[]]>([
  ["one line", () => [command(`${HEADS}/a`, "\0report-status")], ["report"]],
  ["two lines", () => [command(`${HEADS}/a`, "\0report-status"), command(`${HEADS}/b`)], ["report"]],
  [
    "features over two lines",
    () => [command(`${HEADS}/a`, "\0side-band-64k"), command(`${HEADS}/b`, "\0report-status")],
    ["report", "bands"],
  ],
  ["features with values", () => [command(`${HEADS}/a`, "\0report-status=1 side-band-64k=1")], ["report", "bands"]],
  ["tabs and line feeds", () => [command(`${HEADS}/a`, "\0\treport-status\tside-band-64k\n")], ["report", "bands"]],
  ["a carriage return", () => [command(`${HEADS}/a`, "\0x\rreport-status\r")], ["report"]],
  ["the side band that git has not", () => [command(`${HEADS}/a`, "\0report-status side-band")], ["report"]],
  ["a feature that only looks like one", () => [command(`${HEADS}/a`, "\0report-statuses xreport-status")], []],
  ["features behind a second zero", () => [command(`${HEADS}/a`, "\0quiet\0report-status")], []],
  ["features on a shallow line", () => [packet(`shallow ${"1".repeat(40)}\0report-status`), command(`${HEADS}/a`)], []],
  ["a value that names a feature", () => [command(`${HEADS}/a`, "\0agent=report-status")], []],
  ["upper case", () => [packet(`${NONE} ${commit.toUpperCase()} ${HEADS}/a\0report-status`)], ["report"]],
  [
    "a line feed behind the ref",
    () => [command(`${HEADS}/a\n`), command(`${HEADS}/b`, "\0report-status\n")],
    ["report"],
  ],
  ["a blank that is none", () => [command(`${HEADS}/a\xe3\x80\x80b`, "\0report-status")], ["report"]],
  ["a name that is not UTF-8", () => [command(`${HEADS}/a\xff`, "\0report-status")], ["report"]],
  ["a name that git refuses", () => [command(`${HEADS}/a..b`, "\0report-status")], ["report"]],
])("is read alike: %s", async (_what, lines, expected) => {
  const request = Buffer.concat([...lines(), FLUSH, EMPTY_PACK]);
  const [git, proxy] = [asGit(request), await asProxy(request)];
  expect(proxy?.commands.map(({ ref }) => ref)).toEqual(git?.refs);
  expect({ hasReport: proxy?.features.has("report-status"), isInBands: proxy?.features.has("side-band-64k") }).toEqual({
    hasReport: git?.hasReport,
    isInBands: git?.isInBands,
  });
  expect([git?.hasReport ? "report" : null, git?.isInBands ? "bands" : null].filter(Boolean)).toEqual(expected);
});

it("is read alike, or refused, whatever lines it is made of", async () => {
  const random = chance(8);
  const pieces = [
    "report-status",
    "side-band-64k",
    "side-band",
    "quiet",
    "\0",
    " ",
    "\t",
    "\n",
    "=",
    "x",
    "-",
  ] as const;
  const rest = () => Array.from({ length: random.below(7) }, () => random.pick(pieces)).join("");
  const line = (place: number) => {
    const ref = `${HEADS}/r${place}`;
    const lines = [command(ref, `\0${rest()}`), command(ref), packet(`shallow ${"1".repeat(40)}${rest()}`)] as const;
    return random.below(12) === 0 ? packet(rest()) : random.pick(lines);
  };
  let read = 0;
  for (let round = 0; round < 60; round += 1) {
    const lines = Array.from({ length: 1 + random.below(3) }, (_, place) => line(place));
    const request = Buffer.concat([...lines, FLUSH, EMPTY_PACK]);
    const proxy = await asProxy(request);
    if (proxy === null || proxy.commands.length === 0) continue;
    read += 1;
    const git = asGit(request);
    // With no report git tells nothing of refs that it has not made.
    if (git?.hasReport) expect(proxy.commands.map(({ ref }) => ref)).toEqual(git.refs);
    expect([request.toString("latin1"), proxy.features.has("report-status")]).toEqual([
      request.toString("latin1"),
      git?.hasReport ?? false,
    ]);
  }
  expect(read).toBeGreaterThan(30);
});

it("is read up to its options and its pack", async () => {
  const options = [packet("ci.skip"), packet("topic=a b\n"), FLUSH];
  const commands = Buffer.concat([command(`${HEADS}/a`, "\0report-status push-options"), FLUSH]);
  const push = await asProxy(Buffer.concat([commands, ...options, EMPTY_PACK]));
  expect(push?.options).toEqual(["ci.skip", "topic=a b"]);
  expect(push?.packAt).toBe(commands.length + options.reduce((sum, { length }) => sum + length, 0));
});
