/** Pull requests that people open from what a session has pushed: what each is to be, and what has become of it. */
import { and, asc, eq } from "drizzle-orm";
import type { Actor } from "#protocol/actor.ts";
import { type Result, refuse, success } from "#protocol/errors.ts";
import {
  PULL_REQUESTS_KEPT,
  type PullRequestInput,
  type PullRequestList,
  type PullRequestPlan,
  type SeenPullRequest,
} from "#protocol/pull-request.ts";
import { isSettled } from "#protocol/run.ts";
import { timestamp } from "#protocol/time.ts";
import { pullRequestText } from "#rules/run/pull-request-text.ts";
import { repositoryPlace } from "#rules/triggers/subscriptions.ts";
import type { Database } from "../database.ts";
import type { DefinitionStore } from "../definition/definition-store.ts";
import type { Outbox } from "../outbox/outbox.ts";
import { pullRequests } from "../schema.ts";
import type { PushedBranch, SessionBranches } from "../sessions/session-branches.ts";
import type { Tx } from "../work.ts";
import type { RunEngine } from "./run-engine.ts";
import type { RunRow, RunStore } from "./run-store.ts";

interface Parts {
  database: Database;
  runs: RunStore;
  engine: RunEngine;
  definitions: DefinitionStore;
  branches: SessionBranches;
  outbox: Outbox;
}

export class PullRequests {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Writes down what is asked for, before GitHub is. Asked again, the same is asked for again. @param link to the session. */
  begin(tx: Tx, sessionId: string, routineId: string, asked: Asked): Result<PullRequestPlan> {
    const { runs, branches } = this.#parts;
    const { input, by, link } = asked;
    const pushed = branches.latest(sessionId).filter(({ place }) => isRepository(place, input.repository));
    const found = pushed.find(({ branch }) => input.branch === undefined || branch === input.branch);
    const row = found === undefined ? null : this.#pusherOf(sessionId, found);
    const session = runs.sessions.get(sessionId, routineId);
    if (found === undefined || row === null || session === null) return withoutBranch(pushed);
    const { place, branch } = found;
    const values = { sessionId, place, branch, runId: row.id, by, askedAt: tx.nowMs, opened: null };
    const again = { runId: row.id, by, askedAt: tx.nowMs };
    tx.database
      .insert(pullRequests)
      .values(values)
      .onConflictDoUpdate({ target: [pullRequests.sessionId, pullRequests.place, pullRequests.branch], set: again })
      .run();
    return success({
      repository: place,
      branch,
      base: input.base ?? this.#baseOf(row, found),
      isBaseNamed: input.base !== undefined,
      ...pullRequestText({ title: session.title, summary: row.doc.summary, link, runId: row.id, sessionId }, input),
      draft: input.draft,
      run_id: row.id,
    });
  }

  /** GitHub has it: evidence of the run that pushed the branch, and an event of the transcript. Told twice, it counts once. */
  end(tx: Tx, sessionId: string, opened: SeenPullRequest): Result<null> {
    const { runs, engine, outbox } = this.#parts;
    const asked = tx.database.select().from(pullRequests).where(isOf(sessionId, opened)).get();
    const row = asked === undefined ? null : runs.get(asked.runId);
    if (asked === undefined || row === null) return refuse("not_found");
    tx.database.update(pullRequests).set({ opened }).where(isOf(sessionId, opened)).run();
    const before = row.doc.evidence.pull_requests ?? [];
    if (before.some(({ url }) => url === opened.url)) return success(null);
    const evidence = { ...row.doc.evidence, pull_requests: [...before, opened].slice(-PULL_REQUESTS_KEPT) };
    const saved = engine.update(tx, row, { ...row.doc, evidence });
    engine.append(tx, saved, [{ type: "pull_request", ...opened, by: asked.by }]);
    if (isSettled(row.doc)) outbox.owe(tx, "project_run", row.id);
    return success(null);
  }

  list(sessionId: string): PullRequestList {
    const rows = this.#parts.database
      .select()
      .from(pullRequests)
      .where(eq(pullRequests.sessionId, sessionId))
      .orderBy(asc(pullRequests.askedAt))
      .all();
    const data = rows.map(({ place, branch, runId, by, askedAt, opened }) => {
      return { repository: place, branch, run_id: runId, asked_at: timestamp(askedAt), asked_by: by.name, opened };
    });
    return { data };
  }

  /** The newest run of the session that has pushed the branch; where no evidence names it any more, the newest of all. */
  #pusherOf(sessionId: string, { place, branch }: PushedBranch): RunRow | null {
    const { runs } = this.#parts;
    const rows = runs.sessions.runsOf(sessionId).flatMap(({ id }) => runs.get(id) ?? []);
    const pushers = rows.filter(({ doc }) =>
      doc.evidence.branches_pushed.some((one) => one.branch === branch && isRepository(place, one.repository)),
    );
    return pushers.at(-1) ?? rows.at(-1) ?? null;
  }

  /** The branch that the run's clone began with, where its routine names one. */
  #baseOf(row: RunRow, { place, branch }: PushedBranch): string | null {
    const { repositories } = this.#parts.definitions.atRevision(row.doc.routine.revision);
    const base = repositories.find(({ url }) => isRepository(place, url))?.branch;
    return base === undefined || base === branch ? null : base;
  }
}

interface Asked {
  input: PullRequestInput;
  by: Actor;
  link: string;
}

/** @param named an address, `owner/name`, or undefined for any. */
function isRepository(place: string, named: string | undefined): boolean {
  if (named === undefined) return true;
  const { host, fullName } = repositoryPlace({ url: place });
  if (!/^https?:\/\//i.test(named)) return named.toLowerCase().replace(/\.git$/, "") === fullName;
  if (!URL.canParse(named)) return false;
  const other = repositoryPlace({ url: named });
  return other.host === host && other.fullName === fullName;
}

function isOf(sessionId: string, { repository, branch }: Pick<SeenPullRequest, "repository" | "branch">) {
  return and(
    eq(pullRequests.sessionId, sessionId),
    eq(pullRequests.place, repository),
    eq(pullRequests.branch, branch),
  );
}

function withoutBranch(pushed: readonly PushedBranch[]): Result<never> {
  const names = pushed.slice(0, 5).map(({ branch }) => branch);
  if (names.length === 0) return refuse("pull_request_without_branch");
  return refuse("pull_request_without_branch", { hint: `Name one that it has pushed: ${names.join(", ")}.` });
}
