/** A run's work at GitHub: which repositories it has there, and calls in the App's name with a token for the one repository. */
import type { GithubRun } from "#durable-objects/routine/runs/github-deeds.ts";
import { type Result, refuse, success } from "#protocol/errors.ts";
import type { LeaseRef } from "#protocol/runner-link.ts";
import type { KeptApp } from "#worker/github/kept-app.ts";
import { repositoryAt } from "#worker/github/repository-at.ts";
import { baseUrl, type HttpContext } from "#worker/http/http-env.ts";
import { GithubCalls, type GithubPlace } from "./github-calls.ts";

export class GithubWork extends GithubCalls {
  readonly c: HttpContext;
  readonly lease: LeaseRef;
  readonly run: GithubRun;
  readonly #places: GithubPlace[];

  private constructor(c: HttpContext, lease: LeaseRef, run: GithubRun, app: KeptApp, places: GithubPlace[]) {
    super(c.var.deps, app);
    this.c = c;
    this.lease = lease;
    this.run = run;
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
}
