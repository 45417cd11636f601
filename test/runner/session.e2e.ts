/** A session's later runs go on from what the earlier ones have left: rows that each upgrade of the Agent SDK has to hold. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { noticesOf } from "./support/agent-steps.ts";
import { Bed, bash, noSandbox, report } from "./support/bed.ts";
import type { FakeRun } from "./support/fake-run.ts";
import { goOn, newSession } from "./support/sessions.ts";
import { seedUpstream } from "./support/upstream.ts";

const messagesSchema = z.array(z.object({ role: z.string(), content: z.unknown() }));

let bed: Bed;
beforeAll(async () => {
  bed = await Bed.make();
  seedUpstream(bed.upstream, "app", { "README.md": "# App\n", "old.txt": "old\n", ".gitignore": "ignored/\n" });
});
afterAll(() => bed.close());

/** The conversation of each model call of the session, oldest first. */
function callsOf(run: FakeRun): z.infer<typeof messagesSchema>[] {
  return (bed.conversations.get(run.order.task) ?? []).map(({ messages }) =>
    messagesSchema.parse(JSON.parse(messages)),
  );
}

/** Without the marks for the model's cache, which move on. */
function plain(messages: unknown): unknown {
  return JSON.parse(JSON.stringify(messages).replaceAll(/,?"cache_control":\{[^}]*\}/g, ""));
}

describe.skipIf(noSandbox !== null)("a session that goes on", () => {
  it("has the whole conversation and the workspace as it was left, on another machine", async () => {
    const work = [
      "git checkout -q -b claude/one && echo committed > made.txt && git add made.txt && git commit -qm Make",
      "echo changed >> README.md && rm old.txt && mkdir -p ignored && echo x > ignored/file && echo loose > 'loose ü.txt'",
      "chmod +x README.md && ln -s made.txt link && echo beside > ../beside.txt",
    ].join(" && ");
    const first = bed.run(
      [bash(work, "I begin."), report("done", "Begun."), "Bye.", bash(LOOK), report("done", "Gone on."), "Bye."],
      ["app"],
      newSession(),
    );
    expect(await first.finished()).toMatchObject({ outcome: { status: "succeeded" } });
    const earlier = callsOf(first);
    await bed.runner.stop();
    await bed.restartRunner();
    const next = goOn(bed, [first], "Go on, please.");
    expect(await next.finished()).toMatchObject({ outcome: { status: "succeeded" }, report: { summary: "Gone on." } });
    const [begun] = [callsOf(first)[earlier.length]];
    const before = earlier.at(-1) ?? [];
    expect(plain(begun?.slice(0, before.length))).toEqual(plain(before));
    const added = JSON.stringify(begun?.slice(before.length));
    expect(added).toContain("Go on, please.");
    expect(added).toContain("are as you left them");
    const [system, ...systems] = [...new Set(bed.conversations.get(first.order.task)?.map((call) => call.system))];
    expect(system).toContain("You run unattended");
    expect(systems).toEqual([]);
    const { text = "" } = next.events.find((event) => event.type === "tool.result") ?? {};
    expect(text.split("\n")).toEqual(
      expect.arrayContaining([
        "claude/one",
        "made: committed",
        "changed",
        "loose ü.txt: loose",
        "link -> made.txt",
        "beside: beside",
        "old.txt: no",
        "ignored: no",
        "README.md is executable",
        " D old.txt",
        " M README.md",
      ]),
    );
    expect(noticesOf(next, "workspace_restored_in_part")).toEqual([]);
  });
});

const LOOK = [
  "git branch --show-current",
  'echo "made: $(cat made.txt)"',
  "tail -n 1 README.md",
  "echo \"loose ü.txt: $(cat 'loose ü.txt')\"",
  'echo "link -> $(readlink link)"',
  'echo "beside: $(cat ../beside.txt)"',
  '[ -e old.txt ] || echo "old.txt: no"',
  '[ -e ignored ] || echo "ignored: no"',
  '[ ! -x README.md ] || echo "README.md is executable"',
  "git -c core.quotePath=false status --short",
].join("; ");
