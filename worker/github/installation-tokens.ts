/** Tokens of the GitHub App for one repository and one purpose: minted when needed, kept in memory until just before they lapse. */
import { z } from "zod";
import { type Refusal, type Result, refuse, success } from "#protocol/errors.ts";
import { appAuth, asked, type GithubRequest } from "./github-api.ts";
import { type AppFacts, type Installation, installationFor, ofApp } from "./installations.ts";

export interface Repository {
  owner: string;
  repo: string;
}

/** What a token is minted with, by what it is for. */
const PERMISSIONS = {
  /** A clone. */
  read: { contents: "read" },
  /** A push. */
  write: { contents: "write" },
  /** Opening one: GitHub looks at the branches too. */
  pull_request: { contents: "read", pull_requests: "write" },
  /** Comments, labels and issues: GitHub has a pull request's under both. */
  discussion: { issues: "write", pull_requests: "write" },
  issues: { issues: "read" },
  pulls: { contents: "read", pull_requests: "read" },
  checks: { checks: "read" },
  statuses: { statuses: "read" },
  actions: { actions: "read" },
  /** What gh asks for in one document: GraphQL reads of all these. */
  graph: {
    actions: "read",
    checks: "read",
    contents: "read",
    issues: "read",
    pull_requests: "read",
    statuses: "read",
  },
} as const;
export type Purpose = keyof typeof PERMISSIONS;
/** What of git a token is for. */
export type Access = Extract<Purpose, "read" | "write">;

interface Kept {
  answer: Result<string>;
  untilMs: number;
}

/** A token is good for an hour. It is used no more when it has a minute left. */
const SPARE_MS = 60_000;
/** That the App may not see a repository is asked again after so long: somebody is about to change it. */
const REFUSED_FOR_MS = 15_000;
/** The oldest goes first. */
const KEPT_AT_MOST = 500;
const mintedSchema = z.object({ token: z.string().min(1), expiresAt: z.iso.datetime({ offset: true }) });

export class InstallationTokens {
  readonly #github: GithubRequest;
  readonly #now: () => number;
  readonly #finish: (work: Promise<unknown>) => void;
  readonly #kept = new Map<string, Kept>();

  /** @param finish has work go on when the request that began it has gone: `waitUntil`. */
  constructor(github: GithubRequest, now: () => number, finish: (work: Promise<unknown>) => void) {
    this.#github = github;
    this.#now = now;
    this.#finish = finish;
  }

  /** @returns a token that opens this one repository, or why there is none. */
  async tokenFor(app: AppFacts, repository: Repository, purpose: Purpose): Promise<Result<string>> {
    const key = keyOf(app, repository, purpose);
    const kept = this.#kept.get(key);
    if (kept !== undefined && kept.untilMs > this.#now()) return kept.answer;
    const minting = this.#mint(app, repository, purpose);
    // @octokit/auth-app lets calls for the same token wait for one answer: a caller that goes away must not leave others waiting.
    this.#finish(minting);
    const minted = await minting;
    this.#keep(key, minted);
    return minted.answer;
  }

  /** The git host has refused the token: another is minted when the next one is needed. */
  drop(app: AppFacts, repository: Repository, purpose: Purpose): void {
    this.#kept.delete(keyOf(app, repository, purpose));
  }

  async #mint(app: AppFacts, repository: Repository, purpose: Purpose): Promise<Kept> {
    const installation = await installationFor(this.#github, app, repository);
    if (!installation.ok) return this.#refused(installation);
    const auth = appAuth(this.#github, app);
    const minted = await asked(async () => {
      const given = await auth({
        type: "installation",
        installationId: installation.value.id,
        repositoryNames: [repository.repo],
        permissions: PERMISSIONS[purpose],
        refresh: true,
      });
      return mintedSchema.parse(given);
    });
    if (!minted.ok) {
      const { status, refusal } = minted.failure;
      const isOfApp = refusal.code !== "github_app_key_refused" || status === null || status === 401;
      const told = isOfApp ? ofApp(minted.failure, app) : lacking(app, installation.value, purpose, refusal);
      return this.#refused({ ok: false, refusal: told });
    }
    const { token, expiresAt } = minted.value;
    return { answer: success(token), untilMs: Date.parse(expiresAt) - SPARE_MS };
  }

  #refused(answer: Result<never> & { ok: false }): Kept {
    // What passes by itself is asked again at once; not so where GitHub has had too many questions already.
    const { code, retry_after_s } = answer.refusal;
    const isPassing = code === "github_unreachable" && retry_after_s === undefined;
    return { answer, untilMs: isPassing ? 0 : this.#now() + REFUSED_FOR_MS };
  }

  #keep(key: string, kept: Kept): void {
    this.#kept.delete(key);
    if (kept.untilMs <= this.#now()) return;
    this.#kept.set(key, kept);
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > KEPT_AT_MOST && oldest !== undefined) this.#kept.delete(oldest);
  }
}

function keyOf({ id }: AppFacts, { owner, repo }: Repository, purpose: Purpose): string {
  return [id, owner, repo, purpose].join("/").toLowerCase();
}

function lacking({ name }: AppFacts, { url }: Installation, purpose: Purpose, { reason = "" }: Refusal): Refusal {
  const wanted = Object.entries(PERMISSIONS[purpose]).map(([permission, level]) => `${permission}: ${level}`);
  // A repository that was renamed is found, but a token is for the name that it has.
  const isUnknown = /repository that does not exist/i.test(reason);
  const isGit = purpose === "read" || purpose === "write";
  return refuse("github_app_lacks_permission", {
    message: `GitHub gives the GitHub App ${name} no token with ${wanted.join(", ")} for this repository (${reason}).`,
    hint:
      isUnknown || isGit
        ? `Look at ${url} which permissions the installation has, and which repositories; accept those that wait. If the repository was renamed, give the routine its new address.`
        : `${giveIt(purpose)}, and accept that at ${url}.`,
  }).refusal;
}

/** Apps that earlier versions have made may do less. @returns what to set on the App's page, so far a sentence. */
export function giveIt(purpose: Purpose): string {
  const levels = { read: "Read-only", write: "Read and write" };
  const entries: [string, "read" | "write"][] = Object.entries(PERMISSIONS[purpose]);
  // Contents every App of an instance may write: one that were set to this would push no more.
  const others = entries.filter(([permission]) => permission !== "contents" || entries.length === 1);
  const wanted = others.map(([permission, level]) => {
    const name = permission === "statuses" ? "commit statuses" : permission.replace("_", " ");
    return `${name.charAt(0).toUpperCase()}${name.slice(1)} to ${levels[level]}`;
  });
  return `On the App's page at GitHub, under Permissions & events, set the repository permissions ${wanted.join(", ")}`;
}
