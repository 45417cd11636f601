/**
 * Opens a pull request in the App's name. GitHub has one at most that is open from a branch into another: whoever asks again,
 * because of a second press or of an answer that was lost, gets the one that there is.
 */
import { z } from "zod";
import { type Result, refuse, success } from "#protocol/errors.ts";
import type { PullRequestPlan } from "#protocol/pull-request.ts";
import type { Deps } from "../deps.ts";
import { asked, type GithubFailure, type GithubRequest } from "./github-api.ts";
import { giveIt, type InstallationTokens, type Repository } from "./installation-tokens.ts";
import type { KeptApp } from "./kept-app.ts";
import { repositoryAt } from "./repository-at.ts";

/** What the instance reads of a pull request; GitHub's answer has more. */
const pullSchema = z.object({
  number: z.int(),
  html_url: z.string(),
  title: z.string(),
  body: z.string().nullish(),
  draft: z.boolean().nullish(),
  base: z.object({ ref: z.string() }),
});
type Pull = z.infer<typeof pullSchema>;
export interface FoundPull {
  pull: Pull;
  wasOpen: boolean;
}

type Answered<Value> = { ok: true; value: Value } | { ok: false; failure: GithubFailure };
type Parts = Pick<Deps, "config" | "appKeeper" | "github"> & {
  installationTokens: Pick<InstallationTokens, "tokenFor" | "drop">;
};

/** Refused with the address at which a person can open it, wherever there is one. */
export async function openPullRequest(parts: Parts, plan: PullRequestPlan, nowMs: number): Promise<Result<FoundPull>> {
  const { webOrigin } = parts.config.github;
  const repository = repositoryAt(plan.repository, webOrigin);
  if (repository === null) return refuse("pull_request_elsewhere");
  const opened = await openAt(parts, plan, repository, nowMs);
  if (opened.ok) return opened;
  const { hint, ...refusal } = opened.refusal;
  const compare_url = compareUrl(webOrigin, repository, plan);
  const said = hint === undefined ? {} : { hint: `${hint} Or open the pull request yourself at ${compare_url}.` };
  return { ok: false, refusal: { ...refusal, ...said, compare_url } };
}

async function openAt(
  { appKeeper, github, installationTokens: tokens }: Parts,
  plan: PullRequestPlan,
  repository: Repository,
  nowMs: number,
): Promise<Result<FoundPull>> {
  const app = await appKeeper.read(nowMs);
  if (!app.ok) return app;
  const kept = app.value;
  if (kept === null) return refuse("pull_request_without_app");
  const attempt = async (): Promise<Result<Answered<FoundPull>>> => {
    const token = await tokens.tokenFor(kept, repository, "pull_request");
    return token.ok ? success(await findOrOpen(new Pulls(github, repository, token.value, plan))) : token;
  };
  let answered = await attempt();
  // It was revoked meanwhile, or GitHub does not know it everywhere yet.
  if (answered.ok && !answered.value.ok && answered.value.failure.status === 401) {
    tokens.drop(kept, repository, "pull_request");
    answered = await attempt();
  }
  if (!answered.ok) return answered;
  return answered.value.ok ? success(answered.value.value) : refused(answered.value.failure, kept, plan);
}

async function findOrOpen(pulls: Pulls): Promise<Answered<FoundPull>> {
  const found = await pulls.find();
  if (!found.ok) return found;
  if (found.value !== null) return { ok: true, value: { pull: found.value, wasOpen: true } };
  const opened = await pulls.open();
  if (opened.ok) return { ok: true, value: { pull: opened.value, wasOpen: false } };
  // Somebody else was first: GitHub opens no second one.
  const other = opened.failure.status === 422 ? await pulls.find() : null;
  if (other?.ok !== true || other.value === null) return opened;
  return { ok: true, value: { pull: other.value, wasOpen: true } };
}

/** Pull requests from one branch, as GitHub is asked about them. */
class Pulls {
  readonly #github: GithubRequest;
  readonly #plan: PullRequestPlan;
  readonly #repository: Repository;
  readonly #headers: { authorization: string };

  constructor(github: GithubRequest, repository: Repository, token: string, plan: PullRequestPlan) {
    this.#github = github;
    this.#repository = repository;
    this.#headers = { authorization: `Bearer ${token}` };
    this.#plan = plan;
  }

  /** The one that is open; null where there is none. */
  find(): Promise<Answered<Pull | null>> {
    const { branch, base, isBaseNamed } = this.#plan;
    const head = `${this.#repository.owner}:${branch}`;
    const into = isBaseNamed && base !== null ? { base } : {};
    return asked(async () => {
      const wanted = {
        ...this.#repository,
        headers: this.#headers,
        state: "open",
        head,
        ...into,
        per_page: 1,
      } as const;
      const { data } = await this.#github("GET /repos/{owner}/{repo}/pulls", wanted);
      return z.array(pullSchema).parse(data)[0] ?? null;
    });
  }

  open(): Promise<Answered<Pull>> {
    const { branch: head, title, body, draft } = this.#plan;
    const at = { ...this.#repository, headers: this.#headers };
    return asked(async () => {
      const base = this.#plan.base ?? (await this.#defaultBranch());
      const wanted = { ...at, head, base, title, body, draft };
      const { data } = await this.#github("POST /repos/{owner}/{repo}/pulls", wanted);
      return pullSchema.parse(data);
    });
  }

  async #defaultBranch(): Promise<string> {
    const at = { ...this.#repository, headers: this.#headers };
    const { data } = await this.#github("GET /repos/{owner}/{repo}", at);
    return z.object({ default_branch: z.string() }).parse(data).default_branch;
  }
}

function refused({ status, refusal, words }: GithubFailure, app: KeptApp, { branch }: PullRequestPlan): Result<never> {
  if (refusal.code === "github_unreachable") {
    const hint = refusal.hint ?? "Ask again soon: if GitHub has opened it all the same, it is found.";
    return { ok: false, refusal: { ...refusal, hint } };
  }
  if (status === 401 || status === 403) {
    return refuse("github_app_lacks_permission", {
      message: `The GitHub App ${app.name} may open no pull request in this repository: GitHub answers ${status}: ${words}.`,
      hint: `${giveIt("pull_request")}, and accept that where the App is installed.`,
    });
  }
  return refuse("pull_request_refused", { reason: `of the branch ${branch} GitHub says ${status}: ${words}` });
}

/** GitHub's page for opening one by hand. */
function compareUrl(webOrigin: string, { owner, repo }: Repository, { base, branch }: PullRequestPlan): string {
  const part = (name: string) => name.split("/").map(encodeURIComponent).join("/");
  const range = base === null ? part(branch) : `${part(base)}...${part(branch)}`;
  return `${webOrigin}/${owner}/${repo}/compare/${range}?expand=1`;
}
