/** A run from the offer to its end: real git, real sandbox, real agent; also across broken links and a restarted worker. */
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Redactor } from "#rules/secrets/redactor.ts";
import { filesWithSecrets } from "#test/scripts/support/files-with-secrets.ts";
import { Bed, bash, noSandbox, report } from "./support/bed.ts";
import { processesWith } from "./support/processes.ts";
import { RUN_SECRET } from "./support/run-order.ts";
import { until } from "./support/until.ts";
import { git, seedUpstream } from "./support/upstream.ts";

let bed: Bed;
let appCommit: string;

beforeAll(async () => {
  if (noSandbox !== null) return;
  bed = await Bed.make();
  const app = seedUpstream(bed.upstream, "app", { "README.md": "# App\n", "CLAUDE.md": "Be kind.\n" });
  appCommit = git("-C", app, "rev-parse", "main");
  seedUpstream(bed.upstream, "docs", { "index.md": "# Docs\n" });
});
afterAll(() => bed?.close());

describe.skipIf(noSandbox !== null)("a run", { concurrent: true }, () => {
  it("clones, works, pushes, reports, and leaves nothing behind", async () => {
    // Another each time: what a try before this one has pushed stays.
    const branch = `claude/news-${crypto.randomUUID()}`;
    const work = [
      `cd app && git checkout -q -b ${branch} && echo news > NEWS && git add NEWS && git commit -qm 'Add news'`,
      `git commit -q --amend -m 'Add news, amended' && git push -q origin ${branch}`,
      "echo draft > ../docs/draft.md && git config remote.origin.url",
    ];
    const run = bed.run(
      [
        {
          ...bash("ls; env | sort; git -C app config --get-regexp http.*extraheader", "I look around."),
          thinking: "What is here?",
        },
        bash(work.join(" && ")),
        report("blocked", "first"),
        report("done", "News was added."),
        "That was all.",
      ],
      ["app", "docs"],
    );
    await run.event("tool.call");
    const folder = bed.folderOf(run);
    const { sockets } = bed.recordOf(run);
    expect(existsSync(sockets)).toBe(true);
    const ending = await run.finished();
    expect(ending).toEqual({
      kind: "finished",
      outcome: { status: "succeeded" },
      report: { result: "done", summary: "News was added." },
      seen: { turns: 5, tool_calls: 4, files_changed: 2, commits_pushed: 0, cost_usd: 0 },
    });
    expect(
      run.events.filter((event) => event.type === "run.step").map((event) => [event.phase, event.message]),
    ).toEqual([
      ["clone", "Cloning https://code.example.com/app"],
      ["clone", "Cloning https://code.example.com/docs"],
      ["clone", expect.stringMatching(/^Cloned /)],
      ["clone", expect.stringMatching(/^Cloned /)],
      ["agent", "Starting the agent"],
    ]);
    const cloned = run.events.flatMap((event) => (event.type === "run.step" ? [event.message] : [])).slice(2, 4);
    expect(cloned.sort()).toEqual([
      `Cloned https://code.example.com/app at ${appCommit} (main)`,
      expect.stringMatching(/^Cloned https:\/\/code.example.com\/docs at [0-9a-f]{40} \(main\)$/),
    ]);
    expect(run.stored.map(({ n }) => n)).toEqual(run.stored.map((_, index) => index + 1));
    expect(run.stored.map(({ body }) => body)).toContainEqual({ kind: "running", sandbox: "sandbox-runtime" });
    const types = run.events.map(({ type }) => type).filter((type) => type !== "run.step");
    expect(types).toEqual([
      ...["agent.thinking", "agent.message", "tool.call", "tool.result", "tool.call", "tool.result"],
      ...["tool.call", "tool.result", "tool.call", "tool.result", "agent.message", "usage"],
    ]);
    expect(run.deltas.map(({ text }) => text).join("")).toBe("What is here?I look around.That was all.");

    const [looked, worked] = run.events.filter((event) => event.type === "tool.result");
    expect(looked?.text).toContain("app\ndocs\n");
    expect(looked?.text).toContain("Authorization: Bearer [secret]");
    expect(looked?.text).not.toContain("ANTHROPIC_AUTH_TOKEN");
    expect(worked).toMatchObject({ is_error: false, text: "https://code.example.com/app" });
    expect(JSON.stringify(run.stored)).not.toContain(run.proxyToken);

    const pushed = git("-C", join(bed.upstream, "app.git"), "log", "--format=%an <%ae>%n%B", `main..${branch}`);
    expect(pushed).toBe(
      "Reveille <reveille@users.noreply.invalid>\nAdd news, amended\n\nSession: http://localhost:8787/sessions/one",
    );
    await until("the lease has ended", () => bed.instance.hasEnded(run.lease));
    expect([folder, sockets].filter((path) => existsSync(path))).toEqual([]);
    expect(processesWith(run.order.run_id)).toEqual([]);
  });

  it("has its secret in its sandbox alone, whatever its agent does with it", async () => {
    const work = [
      'echo "it is $SECRET"; printf %s "$SECRET" | base64; printf %s "a:$SECRET" | base64; printf %s "$SECRET" | xxd -p -c 99',
      `node -e 'console.log(encodeURIComponent(process.env.SECRET), JSON.stringify([process.env.SECRET]))'`,
      'for at in $(seq 0 4 24); do printf %s "${SECRET:$at:4}"; command sleep 0.05; done; echo',
      'printf %s "$SECRET" > secret.txt && git add . && git commit -qm "With $SECRET" && git show --stat HEAD',
      'until touch ../begun && [ -e ../go ]; do command sleep 0.05; done; echo "$SECRET" >&2; exit 3',
    ];
    const run = bed.run(
      [...work.map((command) => bash(command)), report("done", `It is ${RUN_SECRET}.`), `I know ${RUN_SECRET}.`],
      ["app"],
    );
    const folder = await until("it is at the last step", () => {
      const found = bed.executors().find(({ runId }) => runId === run.order.run_id)?.folder ?? null;
      return found !== null && existsSync(join(found, "workspace", "begun")) ? found : null;
    });
    // Its own folder goes with it: what its programs have written, and by what they were started.
    const places = new Set(filesWithSecrets(folder, [RUN_SECRET], []).map((file) => file.split("/")[0] ?? ""));
    expect(["home", "launch", "workspace"]).toEqual(expect.arrayContaining([...places]));
    expect(places).toContain("workspace");
    writeFileSync(join(folder, "workspace", "go"), "");
    expect(await run.finished()).toMatchObject({
      outcome: { status: "succeeded" },
      report: { summary: "It is [secret]." },
    });
    await until("the lease has ended", () => bed.instance.hasEnded(run.lease));
    expect(existsSync(folder)).toBe(false);
    const results = run.events.flatMap((event) => (event.type === "tool.result" ? [event.text] : []));
    expect(results).toEqual([
      expect.stringMatching(/^it is \[secret\]\n\[secret\]\n\w{2,3}\[secret\]\w?=?\n\[secret\]$/),
      '[secret] ["[secret]"]',
      "[secret]",
      expect.stringContaining("    With [secret]\n"),
      "Exit code 3\n[secret]",
      expect.any(String),
    ]);
    expect(new Redactor([RUN_SECRET]).look(JSON.stringify([run.stored, run.deltas, run.arrived]), false).spans).toEqual(
      [],
    );
    expect(bed.runner.output()).not.toContain(RUN_SECRET);
  });

  it("has a single repository as its folder, its project's instructions in mind, and its own hooks", async () => {
    const hook =
      "printf '#!/bin/sh\\necho own hook >> \"$1\"\\n' > .git/hooks/prepare-commit-msg && chmod +x .git/hooks/prepare-commit-msg";
    const run = bed.run(
      [bash(`pwd; ${hook} && git commit -q --allow-empty -m Empty && git log -1 --format=%B`), "Done."],
      ["app"],
    );
    expect((await run.finished()).outcome).toEqual({ status: "succeeded" });
    const result = await run.event("tool.result");
    expect(result.text).toMatch(/\/workspace\/app\nEmpty\n+own hook\n+Session: http:\/\/localhost:8787\/sessions\/one/);
  });
});

describe.skipIf(noSandbox !== null)("a run whose instance falters", () => {
  it("stores every frame once when its link breaks, and when the worker is killed and comes back", async () => {
    const go = (name: string) =>
      bash(`until [ -e "$TMPDIR/../workspace/${name}" ]; do command sleep 0.05; done; echo ${name}`);
    const run = bed.run([go("first"), bash("echo lost"), go("next"), go("second"), bash("echo last"), "Done."]);

    // What is said now is lost on its way; the next frame, which waits for us, shows that it is missing.
    await run.event("tool.call");
    const workspace = join(bed.folderOf(run), "workspace");
    run.deaf = true;
    writeFileSync(join(workspace, "first"), "");
    await until("frames are lost", () => run.arrived.length > run.stored.length + 2);
    run.deaf = false;
    writeFileSync(join(workspace, "next"), "");
    await until("what was lost is sent again", () => run.events.some(({ type }) => type === "tool.result"));
    run.breakLink();
    await until("the runner dials again", () => bed.instance.links.get(run.order.run_id) === 2);
    await run.event("tool.call", ({ input }) => JSON.stringify(input).includes("workspace/second"));

    // The agent goes on while the worker is away: its next model call waits at the relay.
    await bed.instance.vanish();
    writeFileSync(join(workspace, "second"), "");
    await until("the command has ended", () => processesWith("workspace/second").length === 0);
    await bed.instance.listen();

    expect((await run.finished()).outcome).toEqual({ status: "succeeded" });
    expect(run.stored.map(({ n }) => n)).toEqual(run.stored.map((_, index) => index + 1));
    expect(run.arrived.length).toBeGreaterThan(run.stored.length);
    expect(bed.instance.links.get(run.order.run_id)).toBe(3);
    expect(bed.instance.heard.filter(({ type }) => type === "register").at(-1)).toMatchObject({ leases: [run.lease] });
    const results = run.events.filter((event) => event.type === "tool.result").map(({ text }) => text);
    expect(results).toEqual(["first", "lost", "next", "second", "last"]);
  });

  it("asks the model again when the worker dies in the middle of its answer", async () => {
    const words = "This answer is long enough to be cut in its middle. ".repeat(4);
    const run = bed.run([{ kind: "message", text: words, deltaDelayMs: 120 }]);
    await until("the answer has begun", () => run.deltas.length > 0);
    await bed.instance.vanish();
    await bed.instance.listen();
    expect((await run.finished()).outcome).toEqual({ status: "succeeded" });
    expect(run.events.filter((event) => event.type === "agent.message").map(({ text }) => text)).toEqual([words]);
    const calls = `POST /proxy/${run.order.run_id}/model/v1/messages?beta=true`;
    expect(bed.instance.proxied.filter((request) => request === calls).length).toBe(2);
  });
});
