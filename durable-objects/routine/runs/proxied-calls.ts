/** What the worker's proxies ask and report of a run beside its model calls: pushes, signatures, and refusals. */

import { type ConnectorToolRules, type ConnectorUse, rulesFor } from "#protocol/connector.ts";
import type { ContainerSize } from "#protocol/container-size.ts";
import { type Result, refuse, success } from "#protocol/errors.ts";
import type { HostUse } from "#protocol/host-use.ts";
import type { Repository } from "#protocol/repository.ts";
import type { PushRule } from "#protocol/routine.ts";
import { isSettled } from "#protocol/run.ts";
import type { LeaseRef } from "#protocol/runner-link.ts";
import type { Cause } from "#protocol/source-event.ts";
import type { EventBody } from "#protocol/transcript.ts";
import { countContainer } from "#rules/run/usage.ts";
import { containerCost } from "#rules/sandbox/container-sizes.ts";
import { placeKey, repositoryPlace } from "#rules/triggers/subscriptions.ts";
import type { DefinitionStore } from "../definition/definition-store.ts";
import type { RepositoryIds } from "../definition/repository-ids.ts";
import type { Outbox } from "../outbox/outbox.ts";
import type { ProxyNotice, ProxyNotices } from "../sessions/proxy-notices.ts";
import type { OwnBranch, Push, PushKey, SessionBranches } from "../sessions/session-branches.ts";
import type { Tx } from "../work.ts";
import type { AskedHosts } from "./asked-hosts.ts";
import type { RunEngine } from "./run-engine.ts";
import type { RunRow, RunStore } from "./run-store.ts";

/** How many commits of an attempt are signed: more than anybody rebases, and an end for a loop. */
const SIGNATURES_LIMIT = 10_000;
/** How many branches a run's evidence names, the latest ones: an agent may push thousands. */
const BRANCHES_KEPT = 100;

const SIGNED_NOTICE: EventBody = {
  type: "notice",
  level: "info",
  code: "commits_signed",
  message:
    "The instance signs the commits of this run. A signature says that the run made the commit, not that a person has read it.",
};

export interface GitRepository {
  url: string;
  /** Its number at GitHub, once that is known; else its full name in lower case. */
  key: number | string;
  /** The run, to which events that its pushes cause are traced back. */
  cause: Cause;
  /** What the run may push to it. */
  rule: PushRule;
  /** What of the branches that were asked about is the session's own. */
  own: OwnBranch[];
}

/** What a run has of a connector. */
export interface GrantedConnector {
  routine_id: string;
  environment_id: string;
  rules: ConnectorToolRules;
}

export class ProxiedCalls {
  readonly #engine: RunEngine;
  readonly #runs: RunStore;
  readonly #definitions: DefinitionStore;
  readonly #outbox: Outbox;
  readonly #repositoryIds: RepositoryIds;
  readonly #notices: ProxyNotices;
  readonly #branches: SessionBranches;
  readonly #hosts: AskedHosts;

  constructor(parts: {
    engine: RunEngine;
    runs: RunStore;
    definitions: DefinitionStore;
    outbox: Outbox;
    repositoryIds: RepositoryIds;
    notices: ProxyNotices;
    branches: SessionBranches;
    hosts: AskedHosts;
  }) {
    this.#engine = parts.engine;
    this.#runs = parts.runs;
    this.#definitions = parts.definitions;
    this.#outbox = parts.outbox;
    this.#repositoryIds = parts.repositoryIds;
    this.#notices = parts.notices;
    this.#branches = parts.branches;
    this.#hosts = parts.hosts;
  }

  /** Counts the container of an attempt: once, however often it is told, and also after the run has ended. */
  noteContainer(tx: Tx, lease: LeaseRef, { size, seconds }: { size: ContainerSize; seconds: number }): Result<null> {
    const row = this.#runs.get(lease.run_id);
    if (row === null) return refuse("not_found");
    const cost_usd = containerCost(size, seconds);
    const usage = countContainer(row.doc.usage, { attempt: lease.generation, size, seconds, cost_usd });
    if (usage === null) return success(null);
    this.#engine.update(tx, row, { ...row.doc, usage });
    if (isSettled(row.doc)) this.#outbox.owe(tx, "project_run", row.id);
    return success(null);
  }

  /** Counts what an attempt has asked of hosts, also after it has ended. */
  noteHosts(tx: Tx, lease: LeaseRef, rows: readonly HostUse[]): Result<null> {
    const row = this.#runs.get(lease.run_id);
    if (row === null || lease.generation > row.doc.attempt) return refuse("proxy_token_refused");
    this.#hosts.add(tx, row.id, rows);
    return success(null);
  }

  /** Tells the transcript what a proxy refused, or did otherwise than it was asked: the same once in an attempt. */
  tell(tx: Tx, lease: LeaseRef, notice: ProxyNotice): Result<null> {
    const row = this.#engine.working(lease);
    if (row === null) return refuse("proxy_token_refused");
    if (this.#notices.isNew(tx, `${row.id}.${lease.generation}`, notice)) {
      this.#engine.append(tx, row, [{ type: "notice", level: "warning", ...notice }]);
    }
    return success(null);
  }

  /** Counts a signature of a commit before it is made; the transcript is told of the first. */
  beginSignature(tx: Tx, lease: LeaseRef): Result<null> {
    const row = this.#engine.working(lease);
    if (row === null) return refuse("proxy_token_refused");
    const count = this.#notices.count(tx, `${row.id}.${lease.generation} signatures`, SIGNATURES_LIMIT);
    if (count === null) {
      return refuse("proxy_refused", { reason: `no more than ${SIGNATURES_LIMIT} commits of an attempt are signed` });
    }
    if (count === 1) this.#engine.append(tx, row, [SIGNED_NOTICE]);
    return success(null);
  }

  /**
   * The address behind a repository's number, as the run's revision has it, and what the run's pushes are known by.
   * @param branches that a push is about.
   */
  gitRepository(lease: LeaseRef, number: number, branches: readonly string[]): Result<GitRepository> {
    const row = this.#engine.working(lease);
    if (row === null) return refuse("proxy_token_refused");
    const repository = this.#repositoryOf(row, number);
    if (repository === null)
      return refuse("proxy_refused", { reason: "the repository is not attached to the routine" });
    const { routine_id, trigger } = row.doc;
    const place = repositoryPlace({ url: repository.url });
    return success({
      url: repository.url,
      key: this.#repositoryIds.all().get(placeKey(place)) ?? place.fullName,
      cause: { routine_id, run_id: row.id, depth: trigger.depth ?? 0 },
      rule: { push: repository.push, push_prefix: this.#definitions.atRevision(row.doc.routine.revision).push_prefix },
      own: this.#branches.own(row.sessionId, wholeAddress(repository), branches),
    });
  }

  /** What the run's revision lets it do with a connector. */
  connectorFor(lease: LeaseRef, name: string): Result<GrantedConnector> {
    const row = this.#engine.working(lease);
    if (row === null) return refuse("proxy_token_refused");
    const rules = rulesFor(this.#definitions.atRevision(row.doc.routine.revision).connectors, name);
    if (rules === null) return refuse("proxy_refused", { reason: "the routine does not have this connector" });
    return success({
      routine_id: row.doc.routine_id,
      environment_id: this.#engine.environmentOf(lease)?.id ?? "",
      rules,
    });
  }

  /** Adds calls of a connector's tools to the run's evidence. */
  noteConnectorCalls(tx: Tx, lease: LeaseRef, use: ConnectorUse): Result<null> {
    const row = this.#engine.working(lease);
    if (row === null) return refuse("proxy_token_refused");
    const { connectors = [] } = row.doc.evidence;
    this.#engine.update(tx, row, {
      ...row.doc,
      evidence: { ...row.doc.evidence, connectors: withUse(connectors, use) },
    });
    return success(null);
  }

  /** Records branches that the upstream has taken: once for each push, also after the run has ended. */
  recordPushes(tx: Tx, lease: LeaseRef, number: number, pushes: readonly Push[], of: PushKey): Result<null> {
    const row = this.#runs.get(lease.run_id);
    const repository = row === null ? null : this.#repositoryOf(row, number);
    if (row === null || repository === null || row.doc.attempt !== lease.generation) {
      return refuse("proxy_token_refused");
    }
    // What would tell it from one that is told again is gone.
    if (isSettled(row.doc) && row.doc.session_deleted === true) return success(null);
    const { fresh, latest } = this.#branches.keep(tx, row.sessionId, wholeAddress(repository), pushes, of);
    if (fresh.length === 0) return success(null);
    const shown = ({ branch, commit, previous }: Push) => ({ repository: repository.url, branch, commit, previous });
    const others = row.doc.evidence.branches_pushed.filter(
      (before) => !latest.some(({ branch }) => branch === before.branch && repository.url === before.repository),
    );
    const branches_pushed = [...others, ...latest.map(shown)].slice(-BRANCHES_KEPT);
    const commits_pushed = fresh.reduce((sum, { commits = 0 }) => sum + commits, row.doc.evidence.commits_pushed);
    const evidence = { ...row.doc.evidence, branches_pushed, commits_pushed };
    const saved = this.#engine.update(tx, row, { ...row.doc, evidence });
    // `run.finished` is a run's last event.
    if (isSettled(row.doc)) this.#outbox.owe(tx, "project_run", row.id);
    else {
      const events = fresh.slice(-BRANCHES_KEPT).map((push): EventBody => ({ type: "git.push", ...shown(push) }));
      this.#engine.append(tx, saved, events);
    }
    return success(null);
  }

  /**
   * Where results of setup scripts are that the attempt may use, and keep: those of its environment and pool.
   * @returns null for an attempt that is not on, that has no setup script, or whose agent has started.
   */
  setupPlace(lease: LeaseRef): string | null {
    const row = this.#engine.working(lease);
    const environment = this.#engine.environmentOf(lease);
    if (row?.status !== "starting" || environment?.setup == null) return null;
    return `${environment.id}/${row.doc.pool}`;
  }

  #repositoryOf(row: RunRow, number: number): Repository | null {
    return this.#definitions.atRevision(row.doc.routine.revision).repositories[number] ?? null;
  }
}

function withUse(known: readonly ConnectorUse[], use: ConnectorUse): ConnectorUse[] {
  const before = known.find(({ name }) => name === use.name) ?? { name: use.name, calls: 0, failed: 0, changes: 0 };
  const added = {
    name: use.name,
    calls: before.calls + use.calls,
    failed: before.failed + use.failed,
    changes: before.changes + use.changes,
  };
  return [...known.filter(({ name }) => name !== use.name), added];
}

/** Two names that differ in case alone, or by `.git`, are two repositories to some servers. */
function wholeAddress({ url }: Repository): string {
  return url.replace(/\/+$/, "");
}
