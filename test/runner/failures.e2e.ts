/** Each way in which a run can fail has its own error, with its phase, for a person to read; others are in fault-table.e2e.ts, those of the model in test/repositories. */

import type { ServerResponse } from "node:http";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { REFUSAL_HEADER } from "#protocol/runner-link.ts";
import { hasLfs } from "#sandbox-runner/git/lfs.ts";
import { Bed, bash, GIT_CREDENTIAL, noSandbox } from "./support/bed.ts";
import { until } from "./support/until.ts";
import { seedUpstream } from "./support/upstream.ts";

describe.skipIf(noSandbox !== null)("a run fails", { concurrent: true }, () => {
  let bed: Bed;
  beforeAll(async () => {
    bed = await Bed.make();
    seedUpstream(bed.upstream, "app", { "README.md": "# App\n" });
    const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${"a".repeat(64)}\nsize 12\n`;
    seedUpstream(bed.upstream, "large", { ".gitattributes": "*.bin filter=lfs\n", "a.bin": pointer });
  });
  afterAll(() => bed.close());

  it("when a repository is not there", async () => {
    const run = bed.run([], ["nothing"]);
    const { outcome } = await run.finished();
    expect(outcome).toMatchObject({
      error: {
        code: "clone_failed",
        phase: "clone",
        message: expect.stringContaining("fatal: repository 'https://code.example.com/nothing/' not found"),
      },
    });
    expect(JSON.stringify(run.stored)).not.toContain(GIT_CREDENTIAL);
    expect(JSON.stringify(run.stored)).not.toContain("127.0.0.1");
  });

  it("when a branch is not there", async () => {
    const run = bed.run([], ["app"], { repositories: [{ url: "https://code.example.com/app", branch: "gone" }] });
    expect((await run.finished()).outcome).toMatchObject({
      error: { code: "clone_failed", message: expect.stringContaining("Remote branch gone not found") },
    });
  });

  const cutAfter = (response: ServerResponse, start: string) => {
    response.writeHead(200, { "content-type": "application/x-git-upload-pack-result", "transfer-encoding": "chunked" });
    response.write(start, () => response.destroy());
  };
  const refused = (response: ServerResponse, status: number, headers: Record<string, string>) => {
    response.writeHead(status, { "content-type": "text/plain", ...headers });
    response.end("not now\n");
  };
  it.each<[string, (response: ServerResponse) => void, object]>([
    ["is cut", (response) => cutAfter(response, "0008NAK\n"), { error: { code: "repository_unavailable" } }],
    ["is cut before it begins", (response) => cutAfter(response, ""), { error: { code: "repository_unavailable" } }],
    ["meets a fault", (response) => refused(response, 503, {}), { error: { code: "repository_unavailable" } }],
    [
      "meets a limit",
      (response) => refused(response, 429, { "retry-after": "7" }),
      { error: { code: "repository_unavailable", message: expect.stringContaining("429") }, retry_after_s: 7 },
    ],
    [
      "is refused for now in git's own words",
      (response) => {
        const headers = {
          "content-type": "application/x-git-upload-pack-result",
          [REFUSAL_HEADER]: "upstream_limited",
        };
        response.writeHead(200, { ...headers, "retry-after": "9" });
        response.end("0010ERR Not now.");
      },
      {
        error: { code: "repository_unavailable", message: expect.stringContaining("remote error: Not now.") },
        retry_after_s: 9,
      },
    ],
    ["is refused for good", (response) => refused(response, 403, {}), { error: { code: "clone_failed" } }],
  ])("when a clone %s, and says whether it may be tried again", async (_what, answer, outcome) => {
    const run = bed.run([], ["app"]);
    run.answerGit = ({ method }, response) => {
      if (method === "POST") answer(response);
      return method === "POST";
    };
    const { outcome: ended } = await run.finished();
    expect(ended).toMatchObject(outcome);
    expect("retry_after_s" in ended).toBe("retry_after_s" in outcome);
  });

  it.skipIf(!hasLfs())("when nothing comes of Git LFS, and says that it was that", async () => {
    const run = bed.run([], ["large"], { clone_deadline_ms: 1_500 });
    run.answerGit = ({ url }) => url?.includes("/info/lfs/") === true;
    expect((await run.finished()).outcome).toMatchObject({
      error: {
        code: "clone_timed_out",
        message: expect.stringMatching(/Git LFS of https:\/\/code\.example\.com\/large/),
      },
    });
  });

  it.skipIf(!hasLfs())(
    "not where Git LFS is away for now: its files are left as pointers, and it is said why",
    async () => {
      const run = bed.run([], ["large"], { turns: 1 });
      run.answerGit = ({ url }, response) => {
        const isLfs = url?.includes("/info/lfs/") === true;
        if (isLfs) refused(response, 503, { "content-type": "application/vnd.git-lfs+json" });
        return isLfs;
      };
      await run.finished();
      const notices = run.stored.filter((event) => JSON.stringify(event).includes("lfs_pointers"));
      expect(JSON.stringify(notices)).toContain("did not answer");
    },
  );

  it("when the agent does not start in time", async () => {
    const { outcome } = await bed.run([], [], { agent_start_deadline_ms: 10 }).finished();
    expect(outcome).toMatchObject({ status: "failed", error: { code: "agent_start_timed_out", phase: "agent" } });
  });

  it("when the turns are used up", async () => {
    const run = bed.run([bash("echo 1"), bash("echo 2"), bash("echo 3"), "Done."], [], { turns: 2 });
    const ending = await run.finished();
    expect(ending).toMatchObject({
      outcome: { status: "failed", error: { code: "turns_exhausted", phase: "agent" } },
      seen: { turns: 2, tool_calls: 2 },
      report: null,
    });
  });
});

describe("a runner without a sandbox", { concurrent: true }, () => {
  let bed: Bed;
  beforeAll(async () => {
    // Nothing of what the sandbox needs is found there.
    bed = await Bed.make({ PATH: "/nowhere" });
    seedUpstream(bed.upstream, "app", { "README.md": "# App\n" });
    const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${"a".repeat(64)}\nsize 12\n`;
    seedUpstream(bed.upstream, "large", { ".gitattributes": "*.bin filter=lfs\n", "a.bin": pointer });
  });
  afterAll(() => bed.close());

  it("does not run a real model, and clones nothing for it", async () => {
    const run = bed.run(["Hello."], ["app"]);
    expect((await run.finished()).outcome).toMatchObject({
      error: {
        code: "sandbox_unavailable",
        phase: "provisioning",
        message: expect.stringContaining("bubblewrap"),
        hint: expect.stringContaining("apt-get install bubblewrap"),
      },
    });
    expect(bed.instance.proxied.filter((request) => request.includes(run.order.run_id))).toEqual([]);
  });

  it("runs the demo model, and says how it runs", async () => {
    const run = bed.run([bash("pwd; git log --format=%s"), "Done."], ["app"], { demo_model: true });
    expect((await run.finished()).outcome).toEqual({ status: "succeeded" });
    expect(run.stored.map(({ body }) => body)).toContainEqual({ kind: "running", sandbox: "none" });
    const notices = run.events.filter((event) => event.type === "notice");
    expect(notices.map(({ code, level }) => [code, level])).toEqual([
      ["demo_model", "info"],
      ["no_sandbox", "warning"],
    ]);
    expect(notices[1]?.message).toContain("apt-get install bubblewrap");
    expect((await run.event("tool.result")).text).toMatch(/\/workspace\/app\nBegin$/);
    await until("the lease has ended", () => bed.instance.hasEnded(run.lease));
  });
});

describe("a runner that is told to do without a sandbox", () => {
  it("runs a real model, marks the run, and still gives it an environment of its own", async () => {
    const bed = await Bed.make({ REVEILLE_SANDBOX: "none", SECRET_OF_THE_HOST: "hush" });
    const run = bed.run([bash("env | rev"), "Done."]);
    expect((await run.finished()).outcome).toEqual({ status: "succeeded" });
    const names = (await run.event("tool.result")).text
      .split("\n")
      .map((line) => [...line].reverse().join("").split("=")[0]);
    expect(names).toContain("ANTHROPIC_BASE_URL");
    expect(names).not.toContain("SECRET_OF_THE_HOST");
    expect(names).not.toContain("RUNNER_TOKEN");
    const notice = await run.event("notice");
    expect(notice).toMatchObject({ code: "no_sandbox", message: expect.stringContaining("REVEILLE_SANDBOX=none") });
    await bed.close();
  });
});
