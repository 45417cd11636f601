/** GitHub behind the worker's own proxies in Node: the stand-in of the other tests on loopback, and in memory what a run's object notes. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { success } from "#protocol/errors.ts";
import type { DeedPlan, DoneDeed } from "#protocol/github-deed.ts";

export const GITHUB_URL = "https://github.com/acme/app";

interface Written {
  number: number;
  title: string;
  body: string;
}

/** Of `test/support/fake-github.ts` what is used here: its own types stand on workerd's. */
interface StandIn {
  app: { id: number; name: string };
  installations: object[];
  asked: { call: string; body: Record<string, unknown> }[];
  pulls: Written[];
  repository: {
    api: string;
    branches: Set<string>;
    pulls: (Written & { head: object; base: object; labels: object[] })[];
    issues: Written[];
    openIssue(title: string, body: string): unknown;
    graph: (operation: string, variables: Record<string, unknown>) => unknown;
  };
  drawKey(): Promise<string>;
  answer(request: Request): Promise<Response>;
}

export interface WorkerGithub {
  github: StandIn;
  /** What runs have done. */
  done: DoneDeed[];
  /** For the worker's dependencies, its configuration, and its objects. */
  deps: object;
  config: object;
  object: object;
  close(): Promise<void>;
}

export async function startGithub(): Promise<WorkerGithub> {
  const [standIn, api, minting, key] = [
    "#test/support/fake-github.ts",
    "#worker/github/github-api.ts",
    "#worker/github/installation-tokens.ts",
    "#worker/github/private-key.ts",
  ];
  const { githubRequest } = await import(api ?? "");
  const { InstallationTokens } = await import(minting ?? "");
  const { toPkcs8 } = await import(key ?? "");
  const { FakeGithub } = await import(standIn ?? "");
  const github: StandIn = new FakeGithub();
  const private_key = toPkcs8(await github.drawKey());
  github.installations.push({ id: 7, account: "acme", repositories: ["app"] });
  const server = createServer(async (request, response) => {
    const body = await buffer(request);
    const headers = Object.entries(request.headers).map(([name, value]) => [name, String(value)] as [string, string]);
    const init = { method: request.method ?? "GET", headers, ...(body.length === 0 ? {} : { body }) };
    const answer = await github.answer(new Request(`${apiUrl}${request.url}`, init));
    response.writeHead(answer.status, Object.fromEntries(answer.headers)).end(Buffer.from(await answer.arrayBuffer()));
  });
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  const apiUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  github.repository.api = apiUrl;
  const app = {
    id: github.app.id,
    name: github.app.name,
    html_url: "https://github.com/apps/reveille-test",
    private_key,
  };
  const request = githubRequest(apiUrl);
  const done: DoneDeed[] = [];
  const begun: DeedPlan[] = [];
  return {
    github,
    done,
    deps: {
      appKeeper: { read: async () => success(app) },
      github: request,
      installationTokens: new InstallationTokens(request, Date.now, () => {}),
    },
    config: { github: { apiUrl, webOrigin: "https://github.com" }, publicUrl: "http://reveille.test" },
    object: {
      githubRun: ({ run_id }: { run_id: string }) => {
        const cause = { routine_id: "rtn_", run_id, depth: 0 };
        const repositories = [{ url: GITHUB_URL, key: "acme/app" }];
        return success({ session_id: "session_1", cause, repositories, refused_tools: [] });
      },
      beginDeed: (_lease: object, plan: DeedPlan) => {
        begun.push(plan);
        return success({ state: "do" });
      },
      endDeed: (_lease: object, _id: string, what: DoneDeed | null) => {
        if (what !== null) done.push(what);
        return success(null);
      },
    },
    close: async () => {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}
