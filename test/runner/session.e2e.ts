/** A session's later runs go on from what the earlier ones have left: rows that each upgrade of the Agent SDK has to hold. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import type { ReplyPlan } from "#scripts/demo-model/messages-api.ts";
import { DELTA_CHARACTERS } from "#scripts/demo-model/reply-wire.ts";
import { call, noticesOf } from "./support/agent-steps.ts";
import { Bed, bash, endless, noSandbox, report } from "./support/bed.ts";
import type { FakeRun } from "./support/fake-run.ts";
import { environmentWith } from "./support/run-order.ts";
import { entriesOf, filesOf, goOn, newSession } from "./support/sessions.ts";
import { until } from "./support/until.ts";
import { commitTo, seedUpstream } from "./support/upstream.ts";

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

describe.skipIf(noSandbox !== null)("a session's next run", { concurrent: true }, () => {
  it("has its subagents, long outputs and task list, and no value of a secret", async () => {
    const secret = "canary-session-0123456789";
    const steps = [
      bash("seq 1 20000; echo $TOKEN", "I look."),
      call("Agent", { description: "Look", prompt: "Look around.", subagent_type: "general-purpose" }),
      "It looked.",
      "Bye.",
      bash(
        "ls $HOME/.claude/projects/workspace/*/tool-results | wc -l; ls $HOME/.claude/projects/workspace/*/subagents",
      ),
      "Bye.",
    ];
    const environment = environmentWith("true", { variables: { TOKEN: secret }, secret_values: [secret] });
    // One whose price the agent's program knows.
    const model = "claude-sonnet-4-5";
    const first = bed.run(steps, [], { ...newSession(), model, environment: { ...environment, setup: null } });
    await first.finished();
    const files = filesOf([first]);
    expect([...files.keys()]).toEqual([
      null,
      expect.stringMatching(/^subagents\/.+\.jsonl$/),
      expect.stringMatching(/^subagents\/.+\.meta\.json$/),
    ]);
    expect(JSON.stringify([...files])).not.toContain(secret);
    const next = goOn(bed, [first], "Go on, please.");
    expect(await next.finished()).toMatchObject({ outcome: { status: "succeeded" } });
    const { text = "" } = next.events.find((event) => event.type === "tool.result") ?? {};
    expect(text).toMatch(/^1\nagent-.*\.jsonl\nagent-.*\.meta\.json/);
    // The cost of the earlier run is not told again.
    const cost = (run: FakeRun) => run.ending?.seen.cost_usd ?? 0;
    expect(cost(next)).toBeLessThan(cost(first));
  });

  it("is told which calls it has forgotten, and finds every call answered, when it was killed in the middle of one", async () => {
    const first = bed.run([bash(endless("session-work")), "Gone on.", "Gone on.", "Gone on."], ["app"], newSession());
    await first.event("tool.call");
    await until("the call is written down", () =>
      JSON.stringify(entriesOf(first)).includes("session-work") ? true : null,
    );
    first.cancel();
    expect(await first.finished()).toMatchObject({ outcome: { status: "canceled" } });
    expect(first.stored.some(({ body }) => body.kind === "workspace")).toBe(true);
    const calls = [{ tool_call_id: "toolu_forgotten", name: "Write", input: '{"file_path":"made.txt"}' }];
    const next = goOn(bed, [first], "Go on, please.", { resume: { calls } });
    expect(await next.finished()).toMatchObject({ outcome: { status: "succeeded" } });
    const messages = callsOf(first).at(-1) ?? [];
    const text = JSON.stringify(messages);
    const ids = (type: string, key: string) =>
      [
        ...text.matchAll(
          new RegExp(`"type":"${type}"[^{}]*?"${key}":"([^"]+)"|"${key}":"([^"]+)","type":"${type}"`, "g"),
        ),
      ].map(([, one, other]) => one ?? other);
    expect(ids("tool_use", "id").length).toBe(1);
    expect(ids("tool_result", "tool_use_id")).toEqual(ids("tool_use", "id"));
    expect(text).toContain('Write {\\"file_path');
    expect(noticesOf(next, "calls_not_in_conversation")).toHaveLength(1);
  });

  it("hears of a call whose message had not ended when the agent was killed, though the call had taken effect", async () => {
    const calls = ["echo x > made-in-stream.txt", "echo never"].map((command) => ({
      name: "Bash",
      input: { command, description: "Work" },
    }));
    const held = Promise.withResolvers<void>();
    // The first call's block has ended before the second one's begins.
    const ofFirst = Math.ceil(JSON.stringify(calls[0]?.input).length / DELTA_CHARACTERS);
    const beforeDelta = async (index: number) => {
      if (index >= ofFirst) await held.promise;
    };
    const step: ReplyPlan = { kind: "message", toolCalls: calls, beforeDelta };
    const first = bed.run([step, "Gone on.", "Gone on.", "Gone on."], ["app"], newSession());
    await first.event("tool.result");
    first.cancel();
    await first.finished();
    held.resolve();
    const next = goOn(bed, [first], "Go on, please.");
    expect(await next.finished()).toMatchObject({ outcome: { status: "succeeded" } });
    expect(JSON.stringify(callsOf(first).at(-1))).toContain("made-in-stream.txt");
  });

  it("gets nothing of a clone at a fork's commit, whose settings would be the fork's", async () => {
    const bare = seedUpstream(bed.upstream, "forked", { "README.md": "# Forked\n", "CLAUDE.md": "The base's.\n" });
    const commit = commitTo(bare, "refs/pull/1/head", { "CLAUDE.md": "The fork's.\n", "new.txt": "new\n" });
    const repository = "https://code.example.com/forked";
    const checkout = { repository, ref: "refs/pull/1/head", commit, trusted_ref: "main", is_fork: true };
    const steps = [bash("echo x > made.txt; echo y > ../beside.txt"), "Bye.", bash("cat CLAUDE.md; ls . .."), "Bye."];
    const first = bed.run(steps, ["forked"], { ...newSession(), checkout });
    await first.finished();
    expect(noticesOf(first, "workspace_cut")[0]?.message).toContain("whose commit comes from a fork");
    const next = goOn(bed, [first], "Go on, please.");
    expect(await next.finished()).toMatchObject({ outcome: { status: "succeeded" } });
    const { text = "" } = next.events.find((event) => event.type === "tool.result") ?? {};
    expect(text.split("\n").filter((line) => line !== "")).toEqual([
      "The base's.",
      ".:",
      "CLAUDE.md",
      "README.md",
      "..:",
      "beside.txt",
      "forked",
    ]);
    // Nor is anything put into one.
    const again = goOn(bed, [first], "Go on, please.", { order: { checkout } });
    expect(await again.finished()).toMatchObject({ outcome: { status: "succeeded" } });
    expect(noticesOf(again, "workspace_restored_in_part")[0]?.message).toContain("is freshly cloned");
  });

  it("is told what was left out of a workspace that is too large, and so are people", async () => {
    const steps = [bash("head -c 60000000 /dev/urandom > big.bin; echo small > small.txt"), "Bye.", bash("ls"), "Bye."];
    const first = bed.run(steps, ["app"], newSession());
    await first.finished();
    expect(noticesOf(first, "workspace_cut")[0]?.message).toContain("app/big.bin (57.2 MiB)");
    const next = goOn(bed, [first], "Go on, please.", { resume: { sdk_version: "0.3.1" } });
    expect(await next.finished()).toMatchObject({ outcome: { status: "succeeded" } });
    expect(JSON.stringify(callsOf(first).at(-1))).toContain("app/big.bin (57.2 MiB)");
    expect(noticesOf(next, "workspace_restored_in_part")[0]?.message).toContain("app/big.bin (57.2 MiB)");
    const { text = "" } = next.events.find((event) => event.type === "tool.result") ?? {};
    expect(text.split("\n")).toEqual(["README.md", "old.txt", "small.txt"]);
    // Another version of the agent's program takes it up all the same.
    expect(noticesOf(next, "conversation_version")).toHaveLength(1);
  });

  it("is canceled soon while its workspace goes out, though its instance takes nothing of that", async () => {
    const run = bed.run([report("done", "Begun."), "Bye."], ["app"], newSession());
    const begun = Promise.withResolvers<void>();
    run.onWorkspace = begun.resolve;
    await begun.promise;
    run.cancel();
    expect(await run.finished()).toMatchObject({ outcome: { status: "canceled" }, report: { summary: "Begun." } });
    expect(run.stored.some(({ body }) => body.kind === "workspace")).toBe(false);
    expect(noticesOf(run, "workspace_not_kept")).toHaveLength(1);
  });

  it("does not begin with a part of the conversation, and says when the workspace can't be had", async () => {
    const first = bed.run(["Bye.", "Bye again."], ["app"], newSession());
    await first.finished();
    const [file] = [...filesOf([first])].map(([name, text]) => ({ file: name, bytes: text.length + 1 }));
    const cut = goOn(bed, [first], "Go on, please.", { resume: { files: file === undefined ? [] : [file] } });
    const error = { code: "conversation_unavailable", phase: "clone" };
    expect((await cut.finished()).outcome).toMatchObject({ status: "failed", error });
    const other = goOn(bed, [first], "Go on, please.", { workspace: Buffer.from("no archive") });
    expect((await other.finished()).outcome).toEqual({ status: "succeeded" });
    expect(noticesOf(other, "workspace_restored_in_part")[0]?.message).toContain("can't be had");
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
