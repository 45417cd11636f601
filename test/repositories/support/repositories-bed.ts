/** A run for one row of a table: the real runner, agent and git, through the worker's own git proxy, to a host that may be odd. */
import { generateKeyPairSync } from "node:crypto";
import { expect } from "vitest";
import type { CommitKey } from "#instance/commit-key.ts";
import type { ClonedRepository } from "#protocol/repository.ts";
import type { RunOrder } from "#protocol/runner-link.ts";
import { Bed, GIT_CREDENTIAL, type Script } from "../../runner/support/bed.ts";
import type { FakeRun } from "../../runner/support/fake-run.ts";
import { startWorkerGit, type WorkerGit } from "../../runner/support/worker-git.ts";
import { startOddUpstream } from "./odd-upstream.ts";

const HOST = "https://code.example.com";
/** As whom the runs commit whose order says so. */
export const SIGNED = { name: "Acme [bot]", email: "bot@acme.example", key: newCommitKey() };

export interface Row {
  kind: string;
  /** Makes the upstream's repositories. @param root their folder. @param name that no other row has: the run's repository. */
  seed(root: string, name: string): void;
  /** Where the repositories are at the host, and at which branch; by default the one named as the row's. */
  repositories?: (name: string) => (Partial<ClonedRepository> & { path: string })[];
  order?: Partial<RunOrder>;
  script: Script;
  /** The error of an attempt before this one, at the same repositories. */
  earlier?: string;
  /** Does something meanwhile, once the agent has begun. */
  meanwhile?: (root: string, name: string) => void;
  expected: Expected;
}

export interface Expected {
  /** An error's code, or that there is none. By default there is none. */
  error?: string;
  /** What the error's message says. */
  says?: string | RegExp;
  /** For how many seconds the host wants to be left alone. */
  again?: number;
  /** Of the agent's report; null for none. By default done. */
  result?: string | null;
  /** Files that the run changed; 0 by default. */
  files?: number;
  /** What the commands print, as far as a row tells: one for each result of a tool, the first ones. */
  prints?: (string | RegExp)[];
  /** Codes of all notices, of runner and proxies, in order of their names, each once. None by default. */
  notices?: string[];
  /** What the agent is told beside its task. */
  told?: RegExp;
  /** Branches that were pushed, in their order. None by default. */
  pushed?: string[];
  /** Commits that these brought and that the upstream had not; 0 by default. */
  commits?: number;
}

export class RepositoriesBed {
  readonly bed: Bed;
  readonly #git: WorkerGit;
  readonly #orders: Map<string, RunOrder>;
  readonly #close: () => Promise<void>;
  #count = 0;

  private constructor(bed: Bed, git: WorkerGit, orders: Map<string, RunOrder>, close: () => Promise<void>) {
    this.bed = bed;
    this.#git = git;
    this.#orders = orders;
    this.#close = close;
  }

  static async make(): Promise<RepositoriesBed> {
    const orders = new Map<string, RunOrder>();
    let made: { git: WorkerGit; close(): Promise<void> } | null = null;
    const bed = await Bed.make(
      {},
      {
        workerGit: async (gitUrl) => {
          const odd = await startOddUpstream(gitUrl);
          const git = await startWorkerGit({
            credential: GIT_CREDENTIAL,
            commit: SIGNED,
            addressOf: (runId, number) => {
              const address = orders.get(runId)?.repositories[number]?.url;
              return address === undefined ? null : `${address.replace(HOST, odd.url)}.git`;
            },
          });
          made = { git, close: () => odd.close() };
          return git;
        },
      },
    );
    const { git, close } = made as unknown as { git: WorkerGit; close(): Promise<void> };
    return new RepositoriesBed(bed, git, orders, close);
  }

  /** @throws where the run is not as the row expects it. */
  async try(row: Row): Promise<void> {
    this.#count += 1;
    const name = `repository-${this.#count}`;
    row.seed(this.bed.upstream, name);
    const listed = row.repositories?.(name) ?? [{ path: name }];
    const repositories = listed.map(({ path, ...more }) => ({ ...more, url: `${HOST}/${path}` }));
    const begin = () => {
      const run = this.bed.run(row.script, [], { ...row.order, repositories });
      this.#orders.set(run.order.run_id, run.order);
      return run;
    };
    if (row.earlier !== undefined) {
      expect((await begin().finished(100_000)).outcome).toMatchObject({ error: { code: row.earlier } });
    }
    const run = begin();
    if (row.meanwhile !== undefined) {
      await run.event("tool.call", () => true, 60_000);
      row.meanwhile(this.bed.upstream, name);
    }
    const ending = await run.finished(100_000);
    const { error, says = "", result = error === undefined ? "done" : null, files = 0, prints = [] } = row.expected;
    const { outcome } = ending;
    const told = outcome.status === "failed" || outcome.status === "timed_out" ? outcome.error : null;
    expect({ error: told?.code, message: told?.message }).toMatchObject(
      error === undefined ? { error: undefined } : { error, message: expect.stringMatching(says) },
    );
    expect(outcome).toMatchObject(row.expected.again === undefined ? {} : { retry_after_s: row.expected.again });
    expect(ending.report?.result ?? null).toBe(result);
    const printed = run.events.flatMap((event) => (event.type === "tool.result" ? [event.text] : []));
    expect(printed.slice(0, prints.length)).toEqual(
      prints.map((text) => (typeof text === "string" ? text : expect.stringMatching(text))),
    );
    const { told: words } = row.expected;
    if (words !== undefined) expect(this.bed.conversations.get(run.order.task)?.[0]?.system).toMatch(words);
    expect(this.#noticesOf(run)).toEqual(row.expected.notices ?? []);
    const { pushed } = this.#git.seenOf(run.order.run_id);
    expect(pushed.map(({ branch }) => branch)).toEqual(row.expected.pushed ?? []);
    expect(pushed.reduce((sum, { commits = 0 }) => sum + commits, 0)).toBe(row.expected.commits ?? 0);
    expect(ending.seen.files_changed).toBe(files);
    expect(JSON.stringify(run.stored)).not.toContain(GIT_CREDENTIAL);
  }

  #noticesOf(run: FakeRun): string[] {
    const own = run.events.flatMap((event) => (event.type === "notice" ? [event.code] : []));
    const proxies = this.#git.seenOf(run.order.run_id).notices.map(({ code }) => code);
    return [...new Set([...own, ...proxies])].sort();
  }

  async close(): Promise<void> {
    await this.bed.close();
    await this.#close();
  }
}

function newCommitKey(): CommitKey {
  const { d = "", x = "" } = generateKeyPairSync("ed25519").privateKey.export({ format: "jwk" });
  const field = (bytes: Buffer) => Buffer.concat([Buffer.from([0, 0, 0, bytes.length]), bytes]);
  const publicBlob = Buffer.concat([field(Buffer.from("ssh-ed25519")), field(Buffer.from(x, "base64url"))]);
  return { seed: Uint8Array.from(Buffer.from(d, "base64url")), publicBlob: Uint8Array.from(publicBlob) };
}
