/** What a run pushes is noted before it leaves, so that what it causes can be traced back to the run. */
import { env } from "cloudflare:workers";
import { beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { z } from "zod";
import { workOn } from "#test/support/chains.ts";
import { FakeRunner, RUNNING } from "#test/support/fake-runner.ts";
import { type Asked, ask, createRoutine, read } from "./support.ts";

const REPOSITORY = "http://127.0.0.1:9418/acme/app.git";
const NEW = "2".repeat(40);
const NONE = "0".repeat(40);
const started = z.object({ run_id: z.string() });

let upstream: () => Response | Promise<Response>;
let asked = 0;
let runner: FakeRunner;

beforeAll(async () => {
  runner = await FakeRunner.join({ capacity: 50 });
});

beforeEach(() => {
  asked = 0;
  vi.spyOn(globalThis, "fetch").mockImplementation(async (input, init) => {
    await new Request(input, init).arrayBuffer();
    asked += 1;
    return upstream();
  });
});

/** A run whose sandbox is at work. */
async function begin() {
  const { id } = await createRoutine({ repositories: [{ url: REPOSITORY }] });
  const { run_id: runId } = await read(started, `/api/v1/routines/${id}/run`, { method: "POST" });
  const work = await workOn(runner, runId);
  const { offer } = work;
  await work.report(RUNNING);
  const proxy = (path: string, asked: Asked) => ask(`/proxy/${runId}${path}`, { token: offer.proxy_token, ...asked });
  return { proxy, runId };
}

const TAKEN = { "content-type": "application/x-git-receive-pack-result" };
const packet = (text: string) => `${(text.length + 4).toString(16).padStart(4, "0")}${text}`;
const pushed: Asked = {
  method: "POST",
  body: `${packet(`${NONE} ${NEW} refs/heads/claude/x\0 report-status side-band-64k`)}0000PACK`,
  headers: { "content-type": "application/x-git-receive-pack-request" },
};

async function marksOfRun(runId: string): Promise<string[]> {
  const found = env.DB.prepare("SELECT mark FROM push_marks WHERE run_id = ? ORDER BY mark").bind(runId);
  return (await found.all<{ mark: string }>()).results.map(({ mark }) => mark);
}

describe("a push", () => {
  it("is noted before it leaves, and what the upstream refused is taken back", async () => {
    const { proxy, runId } = await begin();
    const noted: string[][] = [];
    const refs = ["refs/heads/claude/x", "refs/heads/claude/y"];
    const command = (ref: string) => `${NONE} ${NEW} ${ref}`;
    const report = `${packet("unpack ok\n")}${packet(`ok ${refs[0]}\n`)}${packet(`ng ${refs[1]} protected\n`)}0000`;
    upstream = async () => {
      noted.push(await marksOfRun(runId));
      return new Response(`${packet(`\u0001${report}`)}0000`, { headers: TAKEN });
    };
    const body = `${packet(`${command(refs[0] ?? "")}\0 report-status side-band-64k`)}${packet(command(refs[1] ?? ""))}0000PACK`;
    await (await proxy("/git/0/git-receive-pack", { ...pushed, body })).text();
    const marks = (ref: string) => [`acme/app ${NONE}..${NEW} ${ref}`, `acme/app created ${ref}`];
    const ofCommit = `acme/app ${NEW}`;
    expect(noted).toEqual([[ofCommit, ...refs.flatMap(marks)].sort()]);
    const kept = [ofCommit, ...marks(refs[0] ?? "")].sort();
    await vi.waitFor(async () => expect(await marksOfRun(runId)).toEqual(kept));
    // What the run has pushed stays its own when it is refused a second time.
    upstream = () => new Response(`${packet(`\u0001${packet(`ng ${refs[0]} stale\n`)}0000`)}0000`, { headers: TAKEN });
    await (await proxy("/git/0/git-receive-pack", pushed)).text();
    expect(await marksOfRun(runId)).toEqual(kept);
  });

  it("is taken back whole when the upstream refuses to listen, and nothing when it may have listened", async () => {
    const { proxy, runId } = await begin();
    upstream = () => new Response(null, { status: 403 });
    await proxy("/git/0/git-receive-pack", pushed);
    expect(await marksOfRun(runId)).toEqual([]);
    upstream = () => new Response(null, { status: 500 });
    await proxy("/git/0/git-receive-pack", pushed);
    expect(await marksOfRun(runId)).toHaveLength(3);
  });

  it("is not sent when it can't be noted, or sets too much, and git is told", async () => {
    const { proxy } = await begin();
    const asGit = { ...pushed, headers: { ...pushed.headers, "user-agent": "git/2.39.5" } };
    await env.DB.exec("ALTER TABLE push_marks RENAME TO push_marks_away");
    const failed = await proxy("/git/0/git-receive-pack", asGit);
    await env.DB.exec("ALTER TABLE push_marks_away RENAME TO push_marks");
    expect(await failed.text()).toContain(
      "ng refs/heads/claude/x the push was not sent, because it could not be noted: try again soon\n",
    );
    const commands = Array.from({ length: 501 }, (_, place) =>
      packet(`${NONE} ${NEW} refs/heads/claude/${place}${place === 0 ? "\0 report-status" : ""}`),
    );
    const many = await proxy("/git/0/git-receive-pack", { ...asGit, body: `${commands.join("")}0000PACK` });
    expect(await many.text()).toContain("ng refs/heads/claude/500 a push may set at most 500 refs\n");
    expect(asked).toBe(0);
  });
});
