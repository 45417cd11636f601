/** A run's work at GitHub: which repositories it has there, and calls in the App's name with a token for the one repository. */
import { z } from "zod";
import type { GithubRun } from "#durable-objects/routine/runs/github-deeds.ts";
import { type Refusal, type Result, refuse, success } from "#protocol/errors.ts";
import type { LeaseRef } from "#protocol/runner-link.ts";
import { asked, type GithubFailure } from "#worker/github/github-api.ts";
import { giveIt, type Purpose, type Repository } from "#worker/github/installation-tokens.ts";
import type { KeptApp } from "#worker/github/kept-app.ts";
import { repositoryAt } from "#worker/github/repository-at.ts";
import { baseUrl, type HttpContext } from "#worker/http/http-env.ts";

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

export class GithubWork {
  readonly c: HttpContext;
  readonly lease: LeaseRef;
  readonly run: GithubRun;
  readonly #app: KeptApp;
  readonly #places: GithubPlace[];

  private constructor(c: HttpContext, lease: LeaseRef, run: GithubRun, app: KeptApp, places: GithubPlace[]) {
    this.c = c;
    this.lease = lease;
    this.run = run;
    this.#app = app;
    this.#places = places;
  }

  static async open(c: HttpContext, lease: LeaseRef): Promise<Result<GithubWork>> {
    const { config, appKeeper, ownerOf } = c.var.deps;
    const run = await ownerOf(lease.run_id).githubRun(lease);
    if (!run.ok) return run;
    const app = await appKeeper.read(Date.now());
    if (!app.ok) return app;
    if (app.value === null) return refuse("github_without_app");
    const places = run.value.repositories.flatMap(({ url, key }, number) => {
      const at = repositoryAt(url, config.github.webOrigin);
      return at === null ? [] : [{ ...at, url, key, number }];
    });
    return success(new GithubWork(c, lease, run.value, app.value, places));
  }

  get deps() {
    return this.c.var.deps;
  }

  /** The address of the session's page. */
  get link(): string {
    return `${baseUrl(this.c)}/sessions/${this.run.session_id}`;
  }

  /** Those of its repositories that are at GitHub, as `owner/name`. */
  names(): string[] {
    return this.#places.map(({ owner, repo }) => `${owner}/${repo}`);
  }

  /** @param named `owner/name`; undefined for the only one. */
  place(named: string | undefined): Result<GithubPlace> {
    const names = this.names();
    const [first, second] = this.#places;
    if (first === undefined) return refuse("github_elsewhere");
    if (named === undefined) {
      if (second === undefined) return success(first);
      return refuse("proxy_refused", {
        reason: "the routine has several repositories",
        message: "The routine has several repositories at GitHub.",
        hint: `Name the repository: one of ${names.join(", ")}.`,
      });
    }
    const found = this.#places.find(({ owner, repo }) => `${owner}/${repo}`.toLowerCase() === named.toLowerCase());
    if (found !== undefined) return success(found);
    return refuse("proxy_refused", {
      reason: "the repository is not attached to the routine",
      message: `${named} is not attached to the routine, which has ${names.join(", ")}.`,
      hint: "Somebody can attach it to the routine; what is public can be read by git where the network allows it.",
    });
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
    const { installationTokens: tokens, github } = this.deps;
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
