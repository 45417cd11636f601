/** What a long conversation has in it, a session's next run has: rows that each upgrade of the Agent SDK has to hold. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ReplyPlan } from "#scripts/demo-model/messages-api.ts";
import { call, noticesOf } from "./support/agent-steps.ts";
import { Bed, bash, noSandbox, report } from "./support/bed.ts";
import type { FakeRun } from "./support/fake-run.ts";
import { saidIn } from "./support/said-in.ts";
import { entriesOf, goOn, newSession } from "./support/sessions.ts";

/** Of one that the agent's program knows to have a window of 200,000 tokens. */
const MODEL = "claude-sonnet-4-5";
const FULL = 190_000;

let bed: Bed;
beforeAll(async () => {
  bed = await Bed.make();
});
afterAll(() => bed.close());

/** Begins a session whose model answers so, call by call, in this run and in those after it. */
function begin(plans: (task: string) => ReplyPlan[]): FakeRun {
  const run = bed.run([], [], { ...newSession(), model: MODEL });
  const left = plans(run.order.task);
  bed.faults.set(run.order.task, () => left.shift() ?? say("Nothing is left to do."));
  return run;
}

function say(text: string): ReplyPlan {
  return { kind: "message", text };
}

/** What each call of the model in the session says. */
function callsOf(run: FakeRun) {
  return (bed.conversations.get(run.order.task) ?? []).map(({ messages }) => saidIn(messages));
}

const resultsOf = (run: FakeRun) => run.events.flatMap((event) => (event.type === "tool.result" ? [event.text] : []));

describe.skipIf(noSandbox !== null)("a session's next run", { concurrent: true }, () => {
  it("goes on from the summary of a conversation that became too long, and from all that came after it", async () => {
    const first = begin((task) => [
      { ...bash("echo said-early"), usage: { input_tokens: FULL } },
      say(`<analysis>Much.</analysis><summary>${task} The word was zebra.</summary>`),
      bash("echo said-late"),
      report("done", "Done."),
      say("Bye."),
      bash("grep -c said-early $HOME/.claude/projects/workspace/*.jsonl"),
      say("Bye again."),
    ]);
    expect(await first.finished()).toMatchObject({ outcome: { status: "succeeded" }, report: { result: "done" } });
    expect(noticesOf(first, "conversation_compacted")).toHaveLength(1);
    const before = callsOf(first).at(-1) ?? [];
    const summary = JSON.stringify(before[0]);
    expect(summary).toContain("The word was zebra.");
    expect(summary).not.toContain("said-early");

    const next = goOn(bed, [first], "Go on, please.");
    expect(await next.finished()).toMatchObject({ outcome: { status: "succeeded" } });
    const begun = callsOf(first)[5] ?? [];
    expect(begun.slice(0, before.length)).toEqual(before);
    expect(begun[before.length]).toMatchObject({ role: "assistant", content: [{ type: "text", text: "Bye." }] });
    expect(JSON.stringify(begun.slice(before.length + 1))).toContain("Go on, please.");
    // What the summary leaves out is where the summary says.
    expect(Number(resultsOf(next)[0])).toBeGreaterThan(0);
    const [, place = ""] = /read the full transcript at: (\S+\.jsonl)/.exec(summary.replaceAll("\\n", " ")) ?? [];
    expect(place).toContain("/.claude/projects/workspace/");
  });

  it("has the images that tools have shown, large ones too", async () => {
    const first = begin(() => [
      bash(`node -e '${DRAW}' 4 small.png && node -e '${DRAW}' 600 large.png && pwd`),
      call("Read", { file_path: "small.png" }),
      call("Read", { file_path: "large.png" }),
      say("Bye."),
      say("I have seen them."),
    ]);
    expect(await first.finished()).toMatchObject({ outcome: { status: "succeeded" } });
    const before = callsOf(first).at(-1) ?? [];
    const images = (messages: unknown) => JSON.stringify(messages).match(/"type":"image","source":\{[^}]*\}/g) ?? [];
    expect(images(before)).toHaveLength(2);
    const entries = entriesOf(first).map((entry) => JSON.stringify(entry).length);
    expect(Math.max(...entries)).toBeGreaterThan(256 * 1_024);

    const next = goOn(bed, [first], "Go on, please.");
    expect(await next.finished()).toMatchObject({ outcome: { status: "succeeded" } });
    const begun = callsOf(first).at(-1) ?? [];
    expect(images(begun)).toEqual(images(before));
    expect(begun.slice(0, before.length)).toEqual(before);
  });
});

/** Writes a PNG of that many pixels each way, of noise: nothing makes it smaller. */
const DRAW = [
  'const { crc32, deflateSync } = require("node:zlib")',
  "const [side, file] = [Number(process.argv[1]), process.argv[2]]",
  'const raw = require("node:crypto").randomBytes((side * 3 + 1) * side)',
  "for (let row = 0; row < side; row += 1) raw[row * (side * 3 + 1)] = 0",
  "const number = (value) => { const bytes = Buffer.alloc(4); bytes.writeUInt32BE(value); return bytes; }",
  "const chunk = (name, data) => { const body = Buffer.concat([Buffer.from(name), data]); return [number(data.length), body, number(crc32(body))]; }",
  "const head = Buffer.concat([number(side), number(side), Buffer.from([8, 2, 0, 0, 0])])",
  'const parts = [...chunk("IHDR", head), ...chunk("IDAT", deflateSync(raw)), ...chunk("IEND", Buffer.alloc(0))]',
  'require("node:fs").writeFileSync(file, Buffer.concat([Buffer.from([137, 80, 78, 71, 13, 10, 26, 10]), ...parts]))',
].join("; ");
