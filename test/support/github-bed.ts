/** An instance with a GitHub App, GitHub behind it, and runs that have pushed: for tests of what runs do there. */
import { beforeEach, vi } from "vitest";
import { MODEL, ProxyBed, type Seen } from "#test/worker/proxy-bed.ts";
import { toPkcs8 } from "#worker/github/private-key.ts";
import { realDeps } from "./clock.ts";
import { API, FakeGithub } from "./fake-github.ts";
import { asking } from "./objects.ts";

export const APP_REPOSITORY = "https://github.com/acme/app";
export const BRANCH = "claude/fix-7";

export interface ToolAnswer {
  text: string;
  isError: boolean;
}

export class GithubBed {
  readonly bed = ProxyBed.make();
  github = new FakeGithub();
  /** Answers what is no call of GitHub's API. */
  elsewhere: (seen: Seen) => Response = () => new Response("", { status: 500 });
  #calls = 0;

  /** Call it at the top of a test file. */
  static async make(): Promise<GithubBed> {
    const made = new GithubBed();
    const pem = await made.github.drawKey();
    const { publicKey } = made.github;
    beforeEach(async () => {
      vi.useRealTimers();
      made.github = new FakeGithub();
      const { github } = made;
      github.publicKey = publicKey;
      github.installations.push({ id: 7, account: "acme", repositories: ["app"] });
      github.branches.add(BRANCH);
      // Each test begins without a token that another has left.
      github.app.id = Math.floor(Math.random() * 1e9);
      made.bed.upstream = (seen) => {
        const { url, method, headers, text } = seen;
        if (!url.startsWith(API)) return made.elsewhere(seen);
        return github.answer(new Request(url, { method, headers, ...(text === "" ? {} : { body: text }) }));
      };
      const { id, slug, name, client_id } = github.app;
      const facts = { id, slug, name, client_id, owner: "acme", html_url: "https://github.com/apps/reveille-test" };
      const app = { ...facts, private_key: toPkcs8(pem) ?? "", webhook_secrets: [], made_at_ms: 1 };
      await realDeps().appKeeper.keep(app, Date.now());
    });
    return made;
  }

  /** A run at work that has pushed a branch, and the server `github` as its agent calls it. */
  async begin({
    url = APP_REPOSITORY,
    push = true,
    ...more
  }: { url?: string; push?: boolean } & Record<string, unknown> = {}) {
    return this.with(await this.bed.begin(MODEL, url, more), push);
  }

  async with<Begun extends Pick<Awaited<ReturnType<ProxyBed["takeUp"]>>, "proxy" | "work">>(begun: Begun, push = true) {
    const { lease } = begun.work.offer;
    if (push) {
      const told = { branch: BRANCH, commit: "1".repeat(40), previous: null, commits: 2 };
      await asking(lease.run_id).recordPushes(lease, 0, [told], { id: crypto.randomUUID(), begunAtMs: Date.now() });
    }
    const rpc = async (method: string, params: object = {}) => {
      this.#calls += 1;
      const headers = { accept: "application/json, text/event-stream" };
      const body = { jsonrpc: "2.0", id: this.#calls, method, params };
      const answer = await begun.proxy("/mcp/github", { method: "POST", headers, body });
      return { status: answer.status, body: JSON.parse((await answer.text()) || "null") };
    };
    const tool = async (name: string, given: object = {}): Promise<ToolAnswer> => {
      const { body } = await rpc("tools/call", { name, arguments: given });
      // What is not listed is no tool: an error of the protocol.
      if (body.error !== undefined) return { text: body.error.message, isError: true };
      const { content, isError = false } = body.result;
      return { text: content[0].text, isError };
    };
    return { ...begun, rpc, tool };
  }
}
