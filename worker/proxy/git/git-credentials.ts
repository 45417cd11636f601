/**
 * By which credential a git host is asked. On GitHub's host the App goes first, with a token for the one repository; where it has
 * no access to the repository, and on every other host, the entry of GIT_CREDENTIALS for the host is used, if there is one.
 */
import type { ApiErrorCode, Refusal, Result } from "#protocol/errors.ts";
import { success } from "#protocol/errors.ts";
import type { Access, InstallationTokens } from "#worker/github/installation-tokens.ts";
import type { KeptApp } from "#worker/github/kept-app.ts";
import { repositoryAt } from "#worker/github/repository-at.ts";

export interface GitCredential {
  /** `user:password`; null when there is none. */
  pair: string | null;
  /** What is told when the host refuses it, where there is more to say than that. */
  ifRefused: Refusal | null;
  /** The host has refused it. Null when the same would be given again. */
  drop: (() => void) | null;
}

export interface GitCredentials {
  /** @param url of a repository, or of one of git's paths in it. */
  of(url: string, access: Access): Promise<Result<GitCredential>>;
}

/**
 * Asks a host by its credential. When it refuses a token that was revoked meanwhile, or that GitHub does not know everywhere yet,
 * another is minted, and the host is asked once more.
 * @param mayAskAgain false where what is sent can't be sent twice.
 */
export async function askWithCredential(
  credentials: GitCredentials,
  url: string,
  access: Access,
  ask: (credential: GitCredential) => Promise<Result<Response>>,
  mayAskAgain = true,
): Promise<Result<Response>> {
  const first = await credentials.of(url, access);
  if (!first.ok) return first;
  const answer = await ask(first.value);
  if (!isRefused(answer) || first.value.drop === null) return answer;
  first.value.drop();
  const next = mayAskAgain ? await credentials.of(url, access) : null;
  return next?.ok === true ? await ask(next.value) : answer;
}

/** Whether the host has answered that this credential is not good enough. */
function isRefused(answer: Result<Response>): boolean {
  return !answer.ok && answer.refusal.code === "github_app_lacks_permission";
}

/** The App is not there for this repository: whoever has set another credential for it is served by that. */
const WITHOUT_APP: readonly ApiErrorCode[] = [
  "github_app_not_installed",
  "github_app_suspended",
  "github_repository_not_selected",
];

/** @param pairs origin → `user:password`; the credential of an origin is sent to that origin alone. */
export function configuredCredentials(pairs: ReadonlyMap<string, string>): GitCredentials {
  return {
    of: async (url) => success({ pair: pairs.get(new URL(url).origin) ?? null, ifRefused: null, drop: null }),
  };
}

/** @param webOrigin GitHub's, for instance `https://github.com`. @param readApp null when no App is set up. */
export function credentialsWithApp(
  pairs: ReadonlyMap<string, string>,
  webOrigin: string,
  readApp: () => Promise<Result<KeptApp | null>>,
  tokens: Pick<InstallationTokens, "tokenFor" | "drop">,
): GitCredentials {
  const configured = configuredCredentials(pairs);
  return {
    of: async (url, access) => {
      const repository = repositoryAt(url, webOrigin);
      if (repository === null) return configured.of(url, access);
      const app = await readApp();
      if (!app.ok) return app;
      if (app.value === null) return configured.of(url, access);
      const { value } = app;
      const token = await tokens.tokenFor(value, repository, access);
      if (token.ok) {
        const drop = () => tokens.drop(value, repository, access);
        return success({ pair: `x-access-token:${token.value}`, ifRefused: refusedToken(value, access), drop });
      }
      if (!WITHOUT_APP.includes(token.refusal.code)) return token;
      const other = pairs.get(webOrigin) ?? null;
      // A public repository is read without any; nobody pushes without.
      if (other === null && access === "write") return token;
      return success({ pair: other, ifRefused: other === null ? token.refusal : null, drop: null });
    },
  };
}

function refusedToken({ name }: KeptApp, access: Access): Refusal {
  return {
    code: "github_app_lacks_permission",
    message: `GitHub refused the token that it gave the GitHub App ${name} for this repository (contents: ${access}).`,
  };
}
