/** What a run has pushed is recorded, once, whatever becomes of the calls that tell it. */
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { refuse } from "#protocol/errors.ts";
import { readRun, readTranscript } from "#test/support/api.ts";
import { realDeps } from "#test/support/clock.ts";
import { answerLate, d1, fail, loseAnswer, routine, type Trouble } from "#test/support/hang.ts";
import { asking } from "#test/support/objects.ts";
import { ProxyBed, REPOSITORY } from "./proxy-bed.ts";

const bed = ProxyBed.make();
const MINUTE_MS = 60_000;
const [NONE, ONE, TWO, THREE] = ["0", "1", "2", "3"].map((digit) => digit.repeat(40)) as [
  string,
  string,
  string,
  string,
];
const BRANCH = "claude/x";
const REF = `refs/heads/${BRANCH}`;
const packet = (text: string) => `${(text.length + 4).toString(16).padStart(4, "0")}${text}`;

/** A run that pushes, and what is known of it. */
async function begin() {
  const begun = await bed.begin();
  const { runId, sessionId } = begun;
  /** The upstream takes it. */
  const push = async (previous: string, commit: string, ref = REF) => {
    bed.upstream = ({ url }) =>
      url.endsWith("git-receive-pack")
        ? answer("receive-pack-result", `${packet("unpack ok\n")}${packet(`ok ${ref}\n`)}0000`)
        : refs([previous, ref]);
    const body = `${packet(`${previous} ${commit} ${ref}\0 report-status`)}0000PACK`;
    const headers = { "content-type": "application/x-git-receive-pack-request" };
    return (await begun.proxy("/git/0/git-receive-pack", { method: "POST", body, headers })).text();
  };
  const pushed = async () => (await readRun(runId)).evidence.branches_pushed.map(({ commit }) => commit);
  const told = async () =>
    (await readTranscript(sessionId)).flatMap((event) => (event.type === "git.push" ? [event.commit] : []));
  return { ...begun, push, pushed, told };
}

function answer(kind: string, text: string): Response {
  return new Response(text, { headers: { "content-type": `application/x-git-${kind}` } });
}

function refs(...stand: [commit: string, ref: string][]): Response {
  const lines = stand.map(([commit, ref], place) => packet(`${commit} ${ref}${place === 0 ? "\0agent=git" : ""}\n`));
  return answer("upload-pack-advertisement", `${packet("# service=git-upload-pack\n")}0000${lines.join("")}0000`);
}

const owedTo = async (runId: string) => {
  const rows = env.DB.prepare("SELECT taken FROM begun_pushes WHERE run_id = ?").bind(runId);
  return (await rows.all<{ taken: string }>()).results.length;
};
/** A sweep that comes so many minutes later. The upstream knows nothing any more. */
async function settle(minutes: number): Promise<void> {
  bed.upstream = () => refs([THREE, "refs/heads/main"]);
  await realDeps().settlePushes(Date.now() + minutes * MINUTE_MS);
}

const refusing = (party: ReturnType<typeof routine>): Trouble => {
  const takeAway = party(() => refuse("storage_not_migrated"));
  return { met: 0, untilMet: async () => {}, end: takeAway, [Symbol.dispose]: takeAway };
};

describe("a push that the object did not record when it was told", () => {
  it.each<[string, (party: ReturnType<typeof routine>) => Trouble]>([
    ["failed", fail],
    ["lost its answer", loseAnswer],
    ["could not be opened", refusing],
  ])("because it %s is recorded once, without asking the upstream", async (_what, trouble) => {
    const { runId, push, pushed, told } = await begin();
    const troubled = trouble(routine("recordPushes", runId));
    expect(await push(NONE, ONE)).toContain(`ok ${REF}`);
    expect(await owedTo(runId)).toBe(1);
    troubled.end();
    const asked = bed.asked.length;
    await settle(2);
    expect(bed.asked).toHaveLength(asked);
    expect([await pushed(), await told(), await owedTo(runId)]).toEqual([[ONE], [ONE], 0]);
  });

  it("is recorded once also when two sweeps tell it, and when its run has ended", async () => {
    const { runId, work, push, pushed, told } = await begin();
    const failing = fail(routine("recordPushes", runId));
    await push(NONE, ONE);
    failing.end();
    using _kept = fail(d1(/delete from "begun_pushes"/i));
    await settle(2);
    await settle(9);
    expect([await pushed(), await told()]).toEqual([[ONE], [ONE]]);
    using failsAgain = fail(routine("recordPushes", runId));
    await push(ONE, TWO);
    failsAgain.end();
    await work.finish();
    await settle(2);
    await settle(9);
    // A run's last event is its end: what comes later is in its evidence.
    expect([await pushed(), await told()]).toEqual([[TWO], [ONE]]);
  });

  it("takes nothing back that was pushed to the branch since", async () => {
    const { runId, offer, push, pushed, told } = await begin();
    const losing = loseAnswer(routine("recordPushes", runId));
    await push(NONE, ONE);
    losing.end();
    await push(ONE, TWO);
    await settle(2);
    expect([await pushed(), await told(), await owedTo(runId)]).toEqual([[TWO], [ONE, TWO], 0]);
    // One that is told for the first time, though it left before.
    const branches = [{ branch: BRANCH, commit: THREE, previous: NONE, commits: 2 }];
    for (const _time of ["first", "again"]) {
      await asking(runId).recordPushes(offer.lease, 0, branches, { id: "before", begunAtMs: 1 });
    }
    expect((await readRun(runId)).evidence.commits_pushed).toBe(2);
    expect([await pushed(), await told()]).toEqual([[TWO], [ONE, TWO, THREE]]);
    const known = await asking(runId).gitRepository(offer.lease, 0, [BRANCH]);
    expect(known).toMatchObject({ ok: true, value: { url: REPOSITORY, own: [{ branch: BRANCH, tip: TWO }] } });
  });

  it("is recorded once where it had broken off, and was sent anew", async () => {
    const { runId, offer, push, pushed, told } = await begin();
    const sent = push(NONE, ONE);
    bed.upstream = ({ url }) => {
      if (url.endsWith("git-receive-pack")) throw new Error("the connection was cut");
      return refs([NONE, REF]);
    };
    expect(await sent).not.toContain(`ok ${REF}`);
    await push(NONE, ONE);
    expect([await told(), await owedTo(runId)]).toEqual([[ONE], 1]);
    bed.upstream = () => refs([ONE, REF]);
    await realDeps().settlePushes(Date.now() + 2 * MINUTE_MS);
    const found = [{ branch: BRANCH, commit: ONE, previous: NONE, commits: 3, isFound: true }];
    await asking(runId).recordPushes(offer.lease, 0, found, { id: "broken", begunAtMs: Date.now() });
    expect((await readRun(runId)).evidence.commits_pushed).toBe(0);
    expect([await pushed(), await told(), await owedTo(runId)]).toEqual([[ONE], [ONE], 0]);
  });

  it("is asked of the upstream when D1 does not take in either what it has said", async () => {
    const { runId, push, pushed } = await begin();
    const failing = fail(routine("recordPushes", runId));
    const lost = fail(d1(/update "begun_pushes" set "branches"|"taken" = /i));
    await push(NONE, ONE);
    failing.end();
    lost.end();
    bed.upstream = () => refs([ONE, REF]);
    await realDeps().settlePushes(Date.now() + 2 * MINUTE_MS);
    expect([await pushed(), await owedTo(runId)]).toEqual([[ONE], 0]);
  });

  it("is given up after a day, with a line in the log, and holds up nobody meanwhile", async () => {
    const broken = await begin();
    using _failing = fail(routine("recordPushes", broken.runId));
    const names = Array.from({ length: 12 }, (_, place) => `refs/heads/claude/${place}`);
    for (const ref of names) await broken.push(NONE, ONE, ref);
    const other = await begin();
    const failing = fail(routine("recordPushes", other.runId));
    await other.push(NONE, ONE);
    failing.end();
    // It is the youngest of all: the broken run's alone would fill the sweep.
    await settle(2);
    expect([await other.pushed(), await owedTo(other.runId)]).toEqual([[ONE], 0]);
    for (let day = 1; day < 60 && (await owedTo(broken.runId)) > 0; day += 1) await settle(day * 1_500);
    expect(await owedTo(broken.runId)).toBe(0);
    expect(await broken.pushed()).toEqual([]);
  });
});

it("is owed before the last byte of the push's answer", async () => {
  const { runId, push } = await begin();
  using late = answerLate(routine("recordPushes", runId));
  const pushing = push(NONE, ONE);
  await late.untilMet();
  expect(await owedTo(runId)).toBe(1);
  late.end();
  await pushing;
});
