/** Where the GitHub App is installed, and whether it may see a repository. */
import { z } from "zod";
import { type Refusal, type Result, refuse, success } from "#protocol/errors.ts";
import { appAuth, asApp, asked, type Credentials, type GithubFailure, type GithubRequest } from "./github-api.ts";

/** What the instance reads of an installation; GitHub's answer has more. */
const installationSchema = z.object({
  id: z.int(),
  account: z.object({ login: z.string().optional(), slug: z.string().optional() }).nullable(),
  repository_selection: z.enum(["all", "selected"]),
  html_url: z.string(),
  suspended_at: z.string().nullish(),
});

export interface Installation {
  id: number;
  /** The account's login. */
  account: string;
  repositories: "all" | "selected";
  url: string;
  isSuspended: boolean;
}

/** How the App is called, and where its pages are. */
export interface AppFacts extends Credentials {
  name: string;
  html_url: string;
}

const OR_ELSE =
  "Or set a credential with access to the repository in GIT_CREDENTIALS, which is used where the App has no access.";
/** What GitHub shows on one page; an App of a team's own has a few. */
const PER_PAGE = 100;

/** @returns the first hundred. */
export async function listInstallations(github: GithubRequest, app: AppFacts): Promise<Result<Installation[]>> {
  const auth = appAuth(github, app);
  const answer = await asked(async () => {
    const headers = await asApp(auth);
    const { data } = await github("GET /app/installations", { headers, per_page: PER_PAGE });
    return z.array(installationSchema).parse(data).map(shown);
  });
  return answer.ok ? success(answer.value) : { ok: false, refusal: ofApp(answer.failure, app) };
}

/** @returns where GitHub sends the App's webhooks; null for nowhere. */
export async function webhookUrl(github: GithubRequest, app: AppFacts): Promise<Result<string | null>> {
  const auth = appAuth(github, app);
  const answer = await asked(async () => {
    const { data } = await github("GET /app/hook/config", { headers: await asApp(auth) });
    return data.url || null;
  });
  return answer.ok ? success(answer.value) : { ok: false, refusal: ofApp(answer.failure, app) };
}

/** @returns the installation through which the App sees the repository, or why it does not. */
export async function installationFor(
  github: GithubRequest,
  app: AppFacts,
  { owner, repo }: { owner: string; repo: string },
): Promise<Result<Installation>> {
  const auth = appAuth(github, app);
  const answer = await asked(async () => {
    const headers = await asApp(auth);
    const { data } = await github("GET /repos/{owner}/{repo}/installation", { headers, owner, repo });
    return shown(installationSchema.parse(data));
  });
  if (answer.ok) return answer.value.isSuspended ? suspended(app, answer.value) : success(answer.value);
  if (answer.failure.status !== 404) return { ok: false, refusal: ofApp(answer.failure, app) };
  const all = await listInstallations(github, app);
  if (!all.ok) return all;
  const there = all.value.find(({ account }) => account.toLowerCase() === owner.toLowerCase());
  if (there === undefined) return notInstalled(app, owner);
  return there.isSuspended ? suspended(app, there) : notSelected(app, there, `${owner}/${repo}`);
}

/** The page at which the App is installed on an account, or given more repositories. */
export function installUrl({ html_url }: Pick<AppFacts, "html_url">): string {
  return `${html_url}/installations/new`;
}

/** GitHub answers 401, or 404, in the name of an App whose key is not its own, or that is gone. */
export function ofApp({ refusal }: GithubFailure, { name }: Pick<AppFacts, "name">): Refusal {
  if (refusal.code !== "github_app_key_refused") return refusal;
  const { reason, ...rest } = refusal;
  return { ...rest, message: `GitHub does not accept the key of the GitHub App ${name}: ${reason}.` };
}

function shown({ id, account, repository_selection, html_url, suspended_at }: z.output<typeof installationSchema>) {
  const isSuspended = suspended_at !== null && suspended_at !== undefined;
  const login = account?.login ?? account?.slug ?? "";
  return { id, account: login, repositories: repository_selection, url: html_url, isSuspended };
}

function notInstalled(app: AppFacts, owner: string) {
  return refuse("github_app_not_installed", {
    message: `The GitHub App ${app.name} is not installed on ${owner}: install it at ${installUrl(app)}.`,
    hint: OR_ELSE,
  });
}

function notSelected(app: AppFacts, { url }: Installation, repository: string) {
  return refuse("github_repository_not_selected", {
    message: `The GitHub App ${app.name} is installed, but was not given ${repository}: give it the repository at ${url}.`,
    hint: OR_ELSE,
  });
}

function suspended(app: AppFacts, { account, url }: Installation) {
  return refuse("github_app_suspended", {
    message: `The installation of the GitHub App ${app.name} on ${account} is suspended: have it unsuspended at ${url}.`,
    hint: OR_ELSE,
  });
}
