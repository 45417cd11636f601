/** What a run may push: judged before anything leaves, refused in git's own words, told once in the transcript. */
import { env } from "cloudflare:workers";
import { beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { z } from "zod";
import { routineSchema } from "#protocol/routine.ts";
import { runSchema } from "#protocol/run.ts";
import { readTranscript } from "#test/support/api.ts";
import { workOn } from "#test/support/chains.ts";
import { realDeps } from "#test/support/clock.ts";
import { FakeRunner, RUNNING } from "#test/support/fake-runner.ts";
import { ask, createRoutine, errorOf, read } from "./support.ts";

const REPOSITORY = "http://127.0.0.1:9418/acme/app.git";
const [NONE, OLD, NEW, NEWER] = ["0", "1", "2", "3"].map((digit) => digit.repeat(40)) as [
  string,
  string,
  string,
  string,
];
const started = z.object({ run_id: z.string(), session_id: z.string() });
const TYPE = { "content-type": "application/x-git-receive-pack-request" };

let upstream: (url: string) => Response | Promise<Response>;
let asked: string[] = [];
let runner: FakeRunner;

beforeAll(async () => {
  runner = await FakeRunner.join({ capacity: 100 });
});

beforeEach(() => {
  asked = [];
  upstream = () => refs(`${OLD} refs/heads/main`);
  vi.spyOn(globalThis, "fetch").mockImplementation(async (input, init) => {
    const request = new Request(input, init);
    await request.arrayBuffer();
    asked.push(request.url);
    return upstream(request.url);
  });
});

const packet = (text: string) => `${(new TextEncoder().encode(text).length + 4).toString(16).padStart(4, "0")}${text}`;

/** The body of a push. @param commands as `old new ref`. */
function push(commands: readonly string[], features = "report-status", rest = "PACK"): string {
  const lines = commands.map((command, place) => packet(place === 0 ? `${command}\0 ${features}` : command));
  return `${lines.join("")}0000${rest}`;
}

/** A run whose sandbox is at work. @param rule of the repository. */
async function begin(rule: object = {}, more: object = {}) {
  const { id } = await createRoutine({ repositories: [{ url: REPOSITORY, ...rule }], ...more });
  const { run_id: runId, session_id: sessionId } = await read(started, `/api/v1/routines/${id}/run`, {
    method: "POST",
  });
  const work = await workOn(runner, runId);
  await work.report(RUNNING);
  const token = work.offer.proxy_token;
  const base = `/proxy/${runId}/git/0`;
  const send = async (body: string | Uint8Array) => {
    const answer = await ask(`${base}/git-receive-pack`, { method: "POST", token, body, headers: TYPE });
    return { status: answer.status, text: new TextDecoder().decode(await answer.arrayBuffer()) };
  };
  const notices = async () => {
    const events = await readTranscript(sessionId);
    return events.flatMap((event) => (event.type === "notice" && event.code === "push_refused" ? [event.message] : []));
  };
  const pushed = async () => (await read(runSchema, `/api/v1/runs/${runId}`)).evidence.branches_pushed;
  return { id, base, token, runId, sessionId, send, notices, pushed };
}

/** What git itself answers. @param kind the end of its content type. */
function gits(kind: string, text: string): Response {
  return new Response(text, { headers: { "content-type": `application/x-git-${kind}` } });
}

/** Where its refs stand, as an upstream tells it. */
function refs(...lines: string[]): Response {
  const told = lines.map((line, place) => packet(`${line}${place === 0 ? "\0agent=git" : ""}\n`)).join("");
  return gits("upload-pack-advertisement", `${packet("# service=git-upload-pack\n")}0000${told}0000`);
}

/** The upstream takes all that it is sent. */
function takes(...refs: string[]): void {
  const told = refs.map((ref) => packet(`ok ${ref}\n`)).join("");
  upstream = () => gits("receive-pack-result", `${packet("unpack ok\n")}${told}0000`);
}

const CLAUDE = "refs/heads/claude/x";
const CREATE = `${NONE} ${NEW} ${CLAUDE}`;
const FORBIDDEN_OPTIONS = [
  ...[
    "merge_request.auto_merge",
    "merge_request.merge_when_pipeline_succeeds=x",
    "mr.auto_merge",
    "mr . auto_merge = 1",
  ],
  ...[" merge_request.auto_merge", "\tmr.merge_when_pipeline_succeeds", "repo.private=false", "Repo.Template = true"],
  ...["secret_push_protection.skip_all", "secret_detection.skip_all", " secret_detection .skip_all"],
];
const PREFIX = "only branches whose names begin with claude/ may be pushed";

describe("a push that may not leave", () => {
  it.each<[what: string, rule: object, commands: string[], says: string]>([
    ["the default branch", {}, [`${OLD} ${NEW} refs/heads/main`], `ng refs/heads/main ${PREFIX}`],
    ["a new branch of another name", {}, [`${NONE} ${NEW} refs/heads/fix`], `ng refs/heads/fix ${PREFIX}`],
    ["another case", {}, [`${NONE} ${NEW} refs/heads/Claude/x`], PREFIX],
    ["a letter that looks like one", {}, [`${NONE} ${NEW} refs/heads/сlaude/x`], PREFIX],
    ["a slash that looks like one", {}, [`${NONE} ${NEW} refs/heads/claude／x`], PREFIX],
    ["the prefix alone", {}, [`${NONE} ${NEW} refs/heads/claude`], PREFIX],
    ["a way up", {}, [`${NONE} ${NEW} refs/heads/claude/../main`], "git takes no such name"],
    ["a name of nothing", {}, [`${NONE} ${NEW} refs/heads/claude/`], "git takes no such name"],
    ["the prefix as a ref", {}, [`${NONE} ${NEW} claude/x`], "only branches may be pushed"],
    ["a name that is too long", {}, [`${NONE} ${NEW} ${CLAUDE}${"x".repeat(1_000)}`], "longer than 1000 bytes"],
    ["a deletion", {}, [`${OLD} ${NONE} ${CLAUDE}`], `ng ${CLAUDE} branches may not be deleted`],
    ["a tag", {}, [`${NONE} ${NEW} refs/tags/claude/v1`], "tags may not be pushed"],
    ["notes", {}, [`${NONE} ${NEW} refs/notes/claude/x`], "only branches may be pushed"],
    ["a pull request's head", {}, [`${NONE} ${NEW} refs/pull/7/head`], "only branches may be pushed"],
    ["HEAD", {}, [`${OLD} ${NEW} HEAD`], "git takes no such name"],
    ["one ref twice", {}, [CREATE, `${NONE} ${OLD} ${CLAUDE}`], `ng ${CLAUDE} it is set twice`],
    ["somebody else's branch, rewritten", {}, [`${OLD} ${NEW} ${CLAUDE}`], "it would rewrite a branch"],
    ["anything where nothing may be", { push: "none" }, [CREATE], `ng ${CLAUDE} nothing may be pushed`],
    ["a deletion where any branch may be", { push: "any" }, [`${OLD} ${NONE} refs/heads/old`], "may not be deleted"],
    ["a tag where any branch may be", { push: "any" }, [`${NONE} ${NEW} refs/tags/v1`], "tags may not be pushed"],
  ])("%s", async (_what, rule, commands, says) => {
    const { send, notices, pushed } = await begin(rule);
    const answer = await send(push(commands));
    expect(answer.status).toBe(200);
    expect(answer.text).toContain("unpack ok\n");
    expect(answer.text).toContain(says);
    expect(asked.filter((url) => !url.endsWith("/info/refs?service=git-upload-pack"))).toEqual([]);
    expect(await notices()).toEqual([expect.stringContaining(`A push to ${REPOSITORY} was refused.`)]);
    expect(await pushed()).toEqual([]);
  });

  it("takes all that is pushed with it along, each ref with its reason, in the band that git asks for", async () => {
    const { send, notices } = await begin();
    const answer = await send(push([CREATE, `${OLD} ${NEW} refs/heads/main`], "report-status side-band-64k atomic"));
    const others = `ng ${CLAUDE} not pushed, because another ref of the same push is refused\n`;
    const report = `${packet("unpack ok\n")}${packet(others)}${packet(`ng refs/heads/main ${PREFIX}\n`)}0000`;
    expect(answer.text).toBe(`${packet(`\u0001${report}`)}0000`);
    expect(await notices()).toEqual([
      `A push to ${REPOSITORY} was refused. refs/heads/main: ${PREFIX}. 1 other ref was not pushed either.`,
    ]);
    expect(asked).toEqual([]);
  });

  it("is told in bands that git can read, however many refs it has", async () => {
    const { send } = await begin();
    const commands = Array.from({ length: 500 }, (_, place) => `${NONE} ${NEW} refs/heads/${"x".repeat(300)}${place}`);
    const { text } = await send(push(commands, "report-status side-band-64k"));
    const lengths: number[] = [];
    for (let at = 0; at < text.length; ) {
      const length = Number.parseInt(text.slice(at, at + 4), 16);
      lengths.push(length);
      at += length === 0 ? 4 : length;
    }
    expect(lengths.at(-1)).toBe(0);
    expect(Math.max(...lengths)).toBeLessThanOrEqual(65_520);
  });

  it("is signed, names a ref in no text, or asks the server for more than to push", async () => {
    const { send } = await begin();
    expect(await send(`${packet("push-cert\0report-status\n")}0000`)).toMatchObject({ status: 403 });
    const [before = "", after = ""] = push([`${NONE} ${NEW} refs/heads/claude/~`]).split("~");
    const bytes = new Uint8Array([...new TextEncoder().encode(before), 0xff, ...new TextEncoder().encode(after)]);
    expect((await send(bytes)).text).toContain("its name is not UTF-8");
    for (const option of FORBIDDEN_OPTIONS) {
      const answer = await send(push([CREATE], "report-status push-options", `${packet(option)}0000PACK`));
      expect(answer.text).toContain(`ng ${CLAUDE} the push option ${JSON.stringify(option)} does more than push`);
    }
    expect(asked).toEqual([]);
  });

  it("is empty: git asks so whether it is let in", async () => {
    const { send, notices } = await begin();
    expect(await send("0000")).toEqual({ status: 200, text: "" });
    expect([asked, await notices()]).toEqual([[], []]);
  });

  it("is refused where it begins when nothing may be pushed, in words that git shows", async () => {
    const { base, token, notices } = await begin({ push: "none" });
    const headers = { "user-agent": "git/2.39.5" };
    const answer = await ask(`${base}/info/refs?service=git-receive-pack`, { token, headers });
    expect([answer.status, await answer.text()]).toEqual([
      403,
      "nothing may be pushed to this repository (push: none)\n",
    ]);
    expect(asked).toEqual([]);
    expect(await notices()).toHaveLength(1);
    upstream = () => gits("upload-pack-advertisement", "refs");
    expect((await ask(`${base}/info/refs?service=git-upload-pack`, { token, headers })).status).toBe(200);
  });
});

describe("a push that may leave", () => {
  it("sets new branches under the prefix, with harmless options", async () => {
    const { send, pushed, notices } = await begin();
    takes(CLAUDE);
    await send(push([CREATE], "report-status push-options", `${packet("ci.skip")}0000PACK`));
    expect(await pushed()).toEqual([{ repository: REPOSITORY, branch: "claude/x", commit: NEW, previous: null }]);
    expect(await notices()).toEqual([]);
  });

  it("sets branches under the routine's own prefix, and no others", async () => {
    const { send } = await begin({}, { push_prefix: "bot-é/" });
    takes("refs/heads/bot-é/x");
    expect((await send(push([`${NONE} ${NEW} refs/heads/bot-é/x`]))).text).toContain("ok refs/heads/bot-é/x");
    upstream = () => refs(`${OLD} refs/heads/main`);
    expect((await send(push([CREATE]))).text).toContain("begin with bot-é/ may");
    upstream = () => refs(`${OLD} refs/heads/main`);
    expect((await send(push([`${NONE} ${NEW} refs/heads/bot-e\u0301/x`]))).text).toContain("begin with bot-é/ may");
    expect(asked.filter((url) => url.endsWith("/git-receive-pack"))).toHaveLength(1);
  });

  it("is the first of an empty repository: its branch may have any name, and nothing else is let through", async () => {
    const { send, pushed } = await begin();
    const main = "refs/heads/main";
    upstream = (url) => {
      if (url.endsWith("/info/refs?service=git-upload-pack")) return refs(`${NONE} capabilities^{}`);
      return gits("receive-pack-result", `${packet("unpack ok\n")}${packet(`ok ${main}\n`)}0000`);
    };
    expect((await send(push([`${NONE} ${NEW} refs/tags/v1`]))).text).toContain("tags may not be pushed");
    expect((await send(push([`${OLD} ${NEW} ${main}`]))).text).toContain(PREFIX);
    expect(asked).toEqual([]);
    expect((await send(push([`${NONE} ${NEW} ${main}`]))).text).toContain(`ok ${main}`);
    expect(await pushed()).toMatchObject([{ branch: "main", previous: null }]);
    for (const unknown of [
      () => new Response("<html>"),
      () => new Response(""),
      () => gits("upload-pack-advertisement", "0000"),
      // An answer that breaks off before it tells of a ref.
      () => gits("upload-pack-advertisement", `${packet("# service=git-upload-pack\n")}0000`),
      () => new Response(null, { status: 500 }),
    ]) {
      upstream = unknown;
      expect((await send(push([`${NONE} ${NEW} ${main}`]))).text).toContain(PREFIX);
    }
  });

  it("rewrites what the session has made, until somebody else has put something on it", async () => {
    const { send, pushed } = await begin();
    takes(CLAUDE);
    await send(push([CREATE]));
    expect((await send(push([`${NEW} ${NEWER} ${CLAUDE}`]))).text).toContain(`ok ${CLAUDE}`);
    expect((await pushed())[0]).toMatchObject({ commit: NEWER, previous: NEW });
    expect((await send(push([`${OLD} ${NEW} ${CLAUDE}`]))).text).toContain("it would rewrite");
    expect(asked).toHaveLength(2);
    const other = await begin();
    expect((await other.send(push([`${NEWER} ${NEW} ${CLAUDE}`]))).text).toContain("it would rewrite");
  });

  it("makes nothing the session's own in another repository whose address is much the same", async () => {
    const others = ["http://127.0.0.1:9418/Acme/app.git", "http://127.0.0.1:9418/acme/app"].map((url) => ({ url }));
    const { runId, token, send } = await begin({}, { repositories: [{ url: REPOSITORY }, ...others] });
    takes(CLAUDE);
    await send(push([CREATE]));
    for (const number of [1, 2]) {
      const path = `/proxy/${runId}/git/${number}/git-receive-pack`;
      const body = push([`${NEW} ${NEWER} ${CLAUDE}`]);
      const answer = await ask(path, { method: "POST", token, body, headers: TYPE });
      expect(await answer.text()).toContain("it would rewrite");
    }
    expect(asked).toHaveLength(1);
  });

  it("is a branch's of any name, rewritten or not, where the upstream's own protection is to decide", async () => {
    const { send } = await begin({ push: "any" });
    takes("refs/heads/main", "refs/heads/new");
    const answer = await send(push([`${OLD} ${NEW} refs/heads/main`, `${NONE} ${NEW} refs/heads/new`]));
    expect(answer.text).toContain("ok refs/heads/main");
    expect(asked).toHaveLength(1);
  });
});

describe("a push of which nothing was heard", () => {
  const MINUTE_MS = 60_000;
  const settle = (nowMs: number) => realDeps().settlePushes(nowMs);
  const left = async (runId: string) => {
    const rows = env.DB.prepare("SELECT tries FROM begun_pushes WHERE run_id = ?").bind(runId);
    return (await rows.all<{ tries: number }>()).results.map(({ tries }) => tries);
  };

  it("is recorded when the branch stands where it was to be put; who has put it there is not known", async () => {
    const { send, pushed, runId, sessionId } = await begin();
    upstream = () => new Response(null, { status: 502 });
    await send(push([CREATE, `${NONE} ${NEW} refs/heads/claude/y`]));
    expect(await pushed()).toEqual([]);
    const nowMs = Date.now();
    await settle(nowMs);
    expect(asked).toHaveLength(1);
    upstream = () => refs(`${OLD} HEAD`, `${OLD} refs/heads/main`, `${NEW} ${CLAUDE}`);
    await settle(nowMs + 0.5 * MINUTE_MS + 1_000);
    expect(asked[1]).toBe(`${REPOSITORY}/info/refs?service=git-upload-pack`);
    expect(await pushed()).toMatchObject([{ branch: "claude/x", commit: NEW }]);
    expect(await left(runId)).toEqual([1]);
    upstream = () => refs(`${NEW} ${CLAUDE}`, `${NEW} refs/heads/claude/y`);
    await settle(nowMs + 5 * MINUTE_MS);
    expect((await pushed()).map(({ branch }) => branch)).toEqual(["claude/x", "claude/y"]);
    expect((await readTranscript(sessionId)).filter(({ type }) => type === "git.push")).toHaveLength(2);
    expect(await left(runId)).toEqual([]);
    takes(CLAUDE);
    expect((await send(push([`${NEW} ${NEWER} ${CLAUDE}`]))).text).toContain("it would rewrite");
  });

  it("makes nothing the session's own that somebody else has put there", async () => {
    const { send } = await begin();
    const nowMs = Date.now();
    takes("refs/heads/claude/own");
    await send(push([`${NONE} ${OLD} refs/heads/claude/own`]));
    // The agent claims what others have made, and sees to it that nothing is heard of the push.
    upstream = () => new Response(null, { status: 502 });
    await send(push([`${NONE} ${NEW} ${CLAUDE}`, `${OLD} ${NEW} refs/heads/claude/own`]));
    upstream = () => refs(`${NEW} ${CLAUDE}`, `${NEW} refs/heads/claude/own`);
    await settle(nowMs + MINUTE_MS);
    takes(CLAUDE, "refs/heads/claude/own");
    const sent = asked.length;
    for (const ref of [CLAUDE, "refs/heads/claude/own"]) {
      expect((await send(push([`${NEW} ${NEWER} ${ref}`]))).text).toContain("it would rewrite");
    }
    expect(asked).toHaveLength(sent);
  });

  it.each<[string, () => Response | Promise<Response>]>([
    ["that it stands elsewhere", () => refs(`${OLD} ${CLAUDE}`)],
    ["that the credential is refused", () => new Response(null, { status: 403 })],
    ["that there is no such repository", () => new Response(null, { status: 404 })],
    ["nothing that can be read", () => gits("upload-pack-advertisement", "0002")],
    ["nothing, being gone", () => Promise.reject(new TypeError("connection refused"))],
  ])("is asked after seven times, and then no more, when the upstream says %s", async (_what, answer) => {
    const { send, pushed, runId } = await begin();
    upstream = () => new Response(null, { status: 502 });
    await send(push([CREATE]));
    let nowMs = Date.now();
    upstream = answer;
    for (let count = 0; count < 8; count += 1) {
      nowMs += 25 * 60 * MINUTE_MS;
      await settle(nowMs);
    }
    expect(asked).toHaveLength(8);
    expect(await pushed()).toEqual([]);
    expect(await left(runId)).toEqual([]);
  });

  it("leaves nothing behind when the upstream has told", async () => {
    const { send, runId } = await begin();
    takes(CLAUDE);
    await send(push([CREATE]));
    const told = `${packet("unpack ok\n")}${packet(`ng ${CLAUDE} hook declined\n`)}0000`;
    upstream = () => gits("receive-pack-result", told);
    await send(push([`${NEW} ${NEWER} ${CLAUDE}`]));
    upstream = () => new Response(null, { status: 403 });
    await send(push([`${NEW} ${NEWER} ${CLAUDE}`]));
    expect(await left(runId)).toEqual([]);
  });
});

describe("the keys of a routine", () => {
  it("are shown with their defaults, can be sent back, and are refused by name where they are wrong", async () => {
    const routine = await createRoutine({ repositories: [{ url: REPOSITORY }] });
    expect(routine).toMatchObject({ push_prefix: "claude/", repositories: [{ url: REPOSITORY, push: "prefix" }] });
    const path = `/api/v1/routines/${routine.id}`;
    const repositories = [{ url: REPOSITORY, push: "any" }];
    await read(routineSchema, path, { method: "PATCH", body: { push_prefix: "bot/", repositories } });
    const changed = await read(routineSchema, path);
    expect(changed).toMatchObject({ push_prefix: "bot/", repositories });
    for (const push_prefix of ["", "/", "a b", "refs/heads/x", "a..", "~", ".x", "x//", 7]) {
      const refused = await errorOf(await ask(path, { method: "PATCH", body: { push_prefix } }));
      expect(refused).toMatchObject({ status: 400, details: { field: "push_prefix" } });
    }
    const wrong = { repositories: [{ url: REPOSITORY, push: "all" }] };
    expect(await errorOf(await ask(path, { method: "PATCH", body: wrong }))).toMatchObject({
      details: { field: "repositories[0].push" },
    });
  });
});
