/** Calls of GitHub's API in the App's name, each with a token for one repository and one purpose. */
import { z } from "zod";
import { type Refusal, type Result, refuse, success } from "#protocol/errors.ts";
import { asked, type GithubFailure, type GithubRequest } from "#worker/github/github-api.ts";
import { giveIt, type InstallationTokens, type Purpose, type Repository } from "#worker/github/installation-tokens.ts";
import type { KeptApp } from "#worker/github/kept-app.ts";

export interface GithubPlace extends Repository {
  /** The repository's number in the routine. */
  number: number;
  url: string;
  /** Its id or name, as it stands in marks. */
  key: number | string;
}

export interface Got {
  status: number;
  data: unknown;
  /** Whether GitHub has a page after this one. */
  hasMore: boolean;
  location: string | null;
  /** GitHub's header that tells where other pages are. */
  link: string | null;
}

/** Media types of GitHub's that are not JSON. */
const WANTS_TEXT = /\b(?:raw|diff|patch|sha)\b/;

/** What a call is made with: GitHub's names of the things in the path, query and body. */
type Parameters = Record<string, unknown>;

export interface CallParts {
  github: GithubRequest;
  installationTokens: Pick<InstallationTokens, "tokenFor" | "drop">;
}

export class GithubCalls {
  readonly #parts: CallParts;
  readonly #app: KeptApp;

  constructor(parts: CallParts, app: KeptApp) {
    this.#parts = parts;
    this.#app = app;
  }

  /** @param route as GitHub's documentation writes it. @returns GitHub's answer, or why there is none, in words for an agent. */
  async ask(place: GithubPlace, purpose: Purpose, route: string, given: Parameters = {}): Promise<Result<Got>> {
    const answered = await this.call(place, purpose, route, given);
    if (!answered.ok) return answered;
    const { value } = answered;
    return value.ok ? success(value.value) : { ok: false, refusal: this.refusalOf(value.failure, purpose) };
  }

  /** The same, for whoever has to know what GitHub answered. */
  async call(
    place: GithubPlace,
    purpose: Purpose,
    route: string,
    given: Parameters = {},
  ): Promise<Result<{ ok: true; value: Got } | { ok: false; failure: GithubFailure }>> {
    const { installationTokens: tokens, github } = this.#parts;
    const attempt = async () => {
      const token = await tokens.tokenFor(this.#app, place, purpose);
      if (!token.ok) return token;
      // Whatever a route does not name in its path goes into the body.
      const at = route.includes("{owner}") ? { owner: place.owner, repo: place.repo } : {};
      const { headers, ...rest } = given;
      const made = { ...rest, ...at, headers: { ...(headers ?? {}), authorization: `Bearer ${token.value}` } };
      const isText = "request" in given || WANTS_TEXT.test(String(Reflect.get(made.headers, "accept")));
      return success(await asked(async () => got(await github(route, made), isText)));
    };
    const first = await attempt();
    // It was revoked meanwhile, or GitHub does not know it everywhere yet.
    if (!first.ok || first.value.ok || first.value.failure.status !== 401) return first;
    tokens.drop(this.#app, place, purpose);
    return await attempt();
  }

  refusalOf({ status, refusal, words }: GithubFailure, purpose: Purpose): Refusal {
    if (refusal.code === "github_unreachable") return refusal;
    if (status === 401 || (status === 403 && /not accessible|permission/i.test(words))) {
      return refuse("github_app_lacks_permission", {
        message: `The GitHub App ${this.#app.name} may not do this in this repository: GitHub answers ${status}: ${words}.`,
        hint: `${giveIt(purpose)}, and accept that where the App is installed.`,
      }).refusal;
    }
    return refuse("github_refused", {
      message: `GitHub answers ${status}: ${words}.`,
      reason: words,
      hint:
        status === 404
          ? "Look at the number, name or path: it is not in this repository, or not any more."
          : "Mend what GitHub names, and try again.",
    }).refusal;
  }
}

/** A page that says something else, as servers before GitHub's show, is no empty list. */
const jsonSchema = z.union([z.array(z.unknown()), z.record(z.string(), z.unknown())]);

/** @param isText it may be something else than JSON. */
function got(
  { status, data, headers }: { status: number; data: unknown; headers: Record<string, unknown> },
  isText: boolean,
): Got {
  if (!isText && status !== 204) jsonSchema.parse(data);
  const { link, location } = headers;
  const pages = typeof link === "string" ? link : null;
  const hasMore = pages !== null && /rel="next"/.test(pages);
  return { status, data, hasMore, location: typeof location === "string" ? location : null, link: pages };
}
