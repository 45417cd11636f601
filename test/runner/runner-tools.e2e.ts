/** The runner's own tools, called by the real agent out of the real sandbox: what they ask of the instance, and what they answer. */
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { call } from "./support/agent-steps.ts";
import { Bed, bash, noSandbox, report } from "./support/bed.ts";
import { seedUpstream } from "./support/upstream.ts";

const SECRET = "canary-of-the-runner-tools-0001";

describe.skipIf(noSandbox !== null)("the runner's tools", { concurrent: true }, () => {
  let bed: Bed;
  beforeAll(async () => {
    bed = await Bed.make();
  });
  afterAll(() => bed.close());

  it("reads and writes the notes of the routine, without secrets, and tells the agent what there is", async () => {
    const asked: string[] = [];
    const listed = { name: "plan.md", revision: 2, bytes: 5, author: { kind: "owner", id: null, name: "owner" } };
    const note = { ...listed, at: "2026-11-21T09:00:00.000Z" };
    const environment = {
      id: "env_00000000000000000000000000",
      name: "default",
      revision: 1,
      network: { level: "none" as const, allow: [] },
      variables: { API_TOKEN: SECRET },
      secret_values: [SECRET],
      setup: null,
    };
    const write = (name: string, text: string) => call("mcp__reveille__write_note", { name, text });
    const run = bed.run(
      [
        call("mcp__reveille__read_notes", {}),
        call("mcp__reveille__read_notes", { name: "plan.md" }),
        write("plan.md", `The token is ${SECRET}.`),
        write("full.md", "One more."),
        write("old.md", ""),
        call("mcp__reveille__read_notes", { name: "none.md" }),
        write("../up", "x"),
        report("done", "Noted."),
        "Bye.",
      ],
      [],
      { notes: ["plan.md", "old.md"], environment },
    );
    run.answerCall = ({ method, rest, body }) => {
      asked.push(`${method} ${rest} ${body}`.trim());
      if (rest === "notes") return { status: 200, body: { data: [note] } };
      if (rest === "notes/none.md") return { status: 404 };
      if (rest === "notes/full.md") {
        const error = { type: "unprocessable_error", message: "The routine has 50 notes.", hint: "Remove one." };
        return { status: 422, body: { type: "error", error, request_id: "fake" } };
      }
      return { status: 200, body: method === "DELETE" ? null : { ...note, revision: 3, text: "Begin." } };
    };
    expect((await run.finished()).outcome).toEqual({ status: "succeeded" });
    expect(asked).toEqual([
      "GET notes",
      "GET notes/plan.md",
      'PUT notes/plan.md {"text":"The token is [secret]."}',
      'PUT notes/full.md {"text":"One more."}',
      "DELETE notes/old.md",
      "GET notes/none.md",
    ]);
    const results = run.events.filter((event) => event.type === "tool.result").map(({ text }) => text);
    expect(results.slice(0, 6)).toEqual([
      "plan.md: 5 bytes, revision 2, by owner at 2026-11-21T09:00:00.000Z",
      "Begin.",
      "Written: plan.md, revision 3.",
      "The routine has 50 notes. Remove one.",
      "Removed: old.md.",
      'There is no note "none.md".',
    ]);
    expect(results[6]).toContain("must be 1 to 64 letters");
    const [first] = bed.conversations.get(run.order.task) ?? [];
    expect(first?.system).toContain("There are: plan.md, old.md.");
  });

  it("is followed by what the agent's work has changed, once the agent has ended", async () => {
    const sent: unknown[] = [];
    seedUpstream(bed.upstream, "shown", { "README.md": "# App\n" });
    const work =
      "echo news >NEWS && git checkout -qb claude/news && git add . && git commit -qm News && echo draft >draft";
    const run = bed.run([bash(work), report("done", "Done."), "Bye."], ["shown"], { takes: ["diff"] });
    run.answerCall = ({ method, rest, body }) => {
      sent.push([method, rest, JSON.parse(body.toString())]);
      return { status: 200 };
    };
    expect((await run.finished()).outcome).toEqual({ status: "succeeded" });
    const changes = [
      { kind: "branch", branch: "claude/news", files: [{ path: "NEWS", additions: 1, deletions: 0 }] },
      { kind: "uncommitted", branch: null, files: [{ path: "draft", additions: 1, deletions: 0 }] },
    ];
    expect(sent).toMatchObject([
      ["PUT", "diff", { repositories: [{ repository: "https://code.example.com/shown", changes }] }],
    ]);
  });

  it("shows files out of the sandbox, with the rights of the agent, without secrets, and no more than fits", async () => {
    const sent: unknown[] = [];
    const show = (path: string) => call("mcp__reveille__show_file", { path });
    const files = `printf 'The token is ${SECRET}.' >"it's.md" && printf '\\211PNG\\000' >a.PNG && head -c 10485761 /dev/zero >big && : >empty`;
    const environment = {
      id: "env_00000000000000000000000000",
      name: "default",
      revision: 1,
      network: { level: "none" as const, allow: [] },
      variables: {},
      secret_values: [SECRET],
      setup: null,
    };
    const run = bed.run(
      [
        bash(files),
        show("it's.md"),
        show("./a.PNG"),
        show("big"),
        show("empty"),
        show("none"),
        show(join(bed.state, "runs")),
        report("done", "Done."),
        "Bye.",
      ],
      [],
      { takes: ["artifacts"], environment },
    );
    run.answerCall = ({ method, rest, body }) => {
      sent.push([method, rest.replace(/[0-9a-f]{24}/, "ID"), body.toString("latin1")]);
      return { status: 200 };
    };
    expect((await run.finished()).outcome).toEqual({ status: "succeeded" });
    expect(sent).toEqual([
      ["PUT", "artifacts/art_ID", "The token is [secret]."],
      ["PUT", "artifacts/art_ID", "\u0089PNG\u0000"],
    ]);
    const results = run.events.filter((event) => event.type === "tool.result").map(({ text }) => text);
    expect(results.slice(1, 7)).toEqual([
      "Shown: it's.md, 22 bytes.",
      "Shown: a.PNG, 5 bytes.",
      "The file is larger than 10 MiB.",
      "The file is empty.",
      "There is no such file.",
      "There is no such file.",
    ]);
  });

  it("gives a verdict on the run that woke this one, without secrets, and only where one has", async () => {
    const asked: string[] = [];
    const verdict = (given: Record<string, unknown>) => call("mcp__reveille__give_verdict", given);
    const reviews = "run_00000000000000000000000000";
    const run = bed.run(
      [
        verdict({ verdict: "poor", why: "It has no tests." }),
        verdict({ verdict: "bad" }),
        report("done", "Done."),
        "Bye.",
      ],
      [],
      { reviews },
    );
    run.answerCall = ({ method, rest, body }) => {
      asked.push(`${method} ${rest} ${body}`.trim());
      return { status: 200 };
    };
    expect((await run.finished()).outcome).toEqual({ status: "succeeded" });
    expect(asked).toEqual(['PUT verdict {"verdict":"poor","why":"It has no tests."}']);
    const results = run.events.filter((event) => event.type === "tool.result").map(({ text }) => text);
    expect(results[0]).toBe("Recorded: poor.");
    expect(results[1]).toContain("must be good or poor");
    const other = bed.run([verdict({ verdict: "good" }), report("done", "Done."), "Bye."]);
    expect((await other.finished()).outcome).toEqual({ status: "succeeded" });
    expect((await other.event("tool.result")).text).toContain("No such tool available");
  });

  it("are not there for an instance that knows nothing of notes", async () => {
    const run = bed.run([call("mcp__reveille__read_notes", {}), report("done", "Done."), "Bye."]);
    expect((await run.finished()).outcome).toEqual({ status: "succeeded" });
    expect((await run.event("tool.result")).text).toContain("No such tool available");
    expect(bed.conversations.get(run.order.task)?.[0]?.system).not.toContain("notes");
  });
});
