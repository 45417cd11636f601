/** What runs do at GitHub through the instance: judged and noted before GitHub is asked, and evidence once it is done. */
import { eq } from "drizzle-orm";
import { type Result, refuse, success } from "#protocol/errors.ts";
import {
  COMMENTS_KEPT,
  type DeedPlan,
  type DeedState,
  type DoneDeed,
  deedKinds,
  GITHUB_SERVER,
  githubReads,
} from "#protocol/github-deed.ts";
import { PULL_REQUESTS_KEPT } from "#protocol/pull-request.ts";
import type { Repository } from "#protocol/repository.ts";
import { type Evidence, isSettled } from "#protocol/run.ts";
import type { LeaseRef } from "#protocol/runner-link.ts";
import type { Cause } from "#protocol/source-event.ts";
import type { ToolPolicy } from "#protocol/tools.ts";
import type { EventBody } from "#protocol/transcript.ts";
import { judgeCall } from "#rules/tools/judge-call.ts";
import { placeKey, repositoryPlace } from "#rules/triggers/subscriptions.ts";
import type { Database } from "../database.ts";
import type { DefinitionStore } from "../definition/definition-store.ts";
import type { RepositoryIds } from "../definition/repository-ids.ts";
import type { Outbox } from "../outbox/outbox.ts";
import { githubDeeds } from "../schema.ts";
import type { ProxyNotices } from "../sessions/proxy-notices.ts";
import type { SessionBranches } from "../sessions/session-branches.ts";
import type { Tx } from "../work.ts";
import type { RunEngine } from "./run-engine.ts";
import type { RunRow, RunStore } from "./run-store.ts";

/** How much an attempt may write at GitHub: more than any task takes, and an end for a loop. */
const DEEDS_LIMIT = 500;
/** For so long whoever has begun a deed is waited for; longer than GitHub is. */
const HELD_MS = 60_000;
const BRANCHES_NAMED = 5;

export interface GithubRun {
  session_id: string;
  /** The run, to which events that it causes are traced back. */
  cause: Cause;
  repositories: {
    url: string;
    /** Its number at GitHub, once that is known; else its full name in lower case. */
    key: number | string;
  }[];
  /** Tools that the routine's tool policy refuses. */
  refused_tools: string[];
}

interface Parts {
  database: Database;
  runs: RunStore;
  engine: RunEngine;
  definitions: DefinitionStore;
  repositoryIds: RepositoryIds;
  branches: SessionBranches;
  notices: ProxyNotices;
  outbox: Outbox;
}

export class GithubDeeds {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  runOf(lease: LeaseRef): Result<GithubRun> {
    const { engine, repositoryIds } = this.#parts;
    const row = engine.working(lease);
    if (row === null) return refuse("proxy_token_refused");
    const ids = repositoryIds.all();
    const repositories = this.#repositoriesOf(row).map(({ url }) => {
      const place = repositoryPlace({ url });
      return { url, key: ids.get(placeKey(place)) ?? place.fullName };
    });
    const { routine_id, trigger } = row.doc;
    const cause = { routine_id, run_id: row.id, depth: trigger.depth ?? 0 };
    const { tools } = this.#parts.definitions.atRevision(row.doc.routine.revision);
    const refused_tools = [...githubReads, ...deedKinds].filter((tool) => isRefused(tools, tool));
    return success({ session_id: row.sessionId, cause, repositories, refused_tools });
  }

  /** Asked again with the same id, it is one deed. */
  begin(tx: Tx, lease: LeaseRef, plan: DeedPlan): Result<DeedState> {
    const { engine, notices } = this.#parts;
    const row = engine.working(lease);
    if (row === null) return refuse("proxy_token_refused");
    const fault = this.#faultOf(row, plan);
    if (fault !== null) return refuse("github_write_refused", fault);
    const [known] = tx.database.select().from(githubDeeds).where(eq(githubDeeds.id, plan.id)).all();
    if (known?.done != null) return success({ state: "done", done: known.done });
    if (known !== undefined && known.heldUntil > tx.nowMs) {
      return success({ state: "look", sinceMs: known.begunAt, isHeld: true });
    }
    const held = { heldUntil: tx.nowMs + HELD_MS };
    if (known !== undefined) {
      tx.database.update(githubDeeds).set(held).where(eq(githubDeeds.id, plan.id)).run();
      return success({ state: "look", sinceMs: known.begunAt, isHeld: false });
    }
    if (notices.count(tx, `${row.id}.${lease.generation} deeds`, DEEDS_LIMIT) === null) {
      return refuse("github_write_refused", { reason: `an attempt writes ${DEEDS_LIMIT} times at GitHub at most` });
    }
    const { id, kind } = plan;
    const values = { id, kind, sessionId: row.sessionId, runId: row.id, begunAt: tx.nowMs, done: null, ...held };
    tx.database.insert(githubDeeds).values(values).run();
    return success({ state: "do" });
  }

  /**
   * It counts once, also after the run has ended. @param done null where it was not done: the next call for it looks first, and
   * does it. Where nobody knows, this is not called: until it is held no longer, the next call only looks.
   */
  end(tx: Tx, lease: LeaseRef, deed: string, done: DoneDeed | null): Result<null> {
    const { runs, engine, outbox } = this.#parts;
    const row = runs.get(lease.run_id);
    const [known] = tx.database.select().from(githubDeeds).where(eq(githubDeeds.id, deed)).all();
    if (row === null || known === undefined || known.runId !== row.id) return refuse("proxy_token_refused");
    if (known.done !== null) return success(null);
    tx.database.update(githubDeeds).set({ done, heldUntil: 0 }).where(eq(githubDeeds.id, deed)).run();
    if (done === null) return success(null);
    const evidence = withDeed(row.doc.evidence, done);
    // A pull request that was found again is no second one.
    if (evidence === row.doc.evidence && !(done.is === "pull_request" && done.change === "updated"))
      return success(null);
    const saved = engine.update(tx, row, { ...row.doc, evidence });
    // `run.finished` is a run's last event.
    if (isSettled(row.doc)) outbox.owe(tx, "project_run", row.id);
    else engine.append(tx, saved, [eventOf(done)]);
    return success(null);
  }

  /** What of the routine forbids it, in words, and what to do instead. */
  #faultOf(row: RunRow, { kind, number, branch }: DeedPlan): { reason: string; hint?: string } | null {
    const { definitions, branches } = this.#parts;
    const { tools, push_prefix } = definitions.atRevision(row.doc.routine.revision);
    if (isRefused(tools, kind)) {
      const reason = `the routine's tools do not allow ${toolName(kind)}`;
      return { reason, hint: "Report what you would have written." };
    }
    const repository = this.#repositoriesOf(row)[number];
    if (repository === undefined) return { reason: "the repository is not attached to the routine" };
    if (branch === null) return null;
    if (repository.push === "none") {
      const hint = "Report what you would have changed: somebody can set push to prefix in the routine.";
      return { reason: `the routine has push: none for ${repository.url}, so no pull request comes from it`, hint };
    }
    const place = repository.url.replace(/\/+$/, "");
    if (branches.own(row.sessionId, place, [branch]).length > 0) return null;
    const own = branches.latest(row.sessionId).filter((one) => one.place === place);
    const names = own.slice(0, BRANCHES_NAMED).map((one) => one.branch);
    const hint =
      names.length > 0
        ? `It has pushed ${names.join(", ")}.`
        : `Commit to a branch whose name begins with ${push_prefix}, and push it first.`;
    return {
      reason: `this session has not pushed the branch ${branch}, and pull requests come from its own alone`,
      hint,
    };
  }

  #repositoriesOf(row: RunRow): readonly Repository[] {
    return this.#parts.definitions.atRevision(row.doc.routine.revision).repositories;
  }
}

function toolName(tool: string): string {
  return `mcp__${GITHUB_SERVER}__${tool}`;
}

function isRefused(policy: ToolPolicy, tool: string): boolean {
  return judgeCall(policy, toolName(tool), {}).decision === "deny";
}

function withDeed(evidence: Evidence, done: DoneDeed): Evidence {
  if (done.is === "comment") {
    return { ...evidence, comments: [...(evidence.comments ?? []), done.seen].slice(-COMMENTS_KEPT) };
  }
  const before = evidence.pull_requests ?? [];
  if (done.change !== "opened" || before.some(({ url }) => url === done.seen.url)) return evidence;
  return { ...evidence, pull_requests: [...before, done.seen].slice(-PULL_REQUESTS_KEPT) };
}

function eventOf(done: DoneDeed): EventBody {
  if (done.is === "comment") return { type: "comment", ...done.seen };
  return { type: "pull_request", ...done.seen, ...(done.change === "updated" ? { change: done.change } : {}) };
}
