/** The proxies under `/proxy/{run_id}/`: the only paths of the worker that a sandbox's token opens. */
import type { App } from "../http/http-env.ts";
import { readLease } from "./authorize.ts";
import { proxyGit } from "./git/git-proxy.ts";
import { proxyGh } from "./github/gh-proxy.ts";
import { proxyGithubTools } from "./github/mcp-server.ts";
import { proxyLfsBatch, refuseLocks } from "./lfs/lfs-proxy.ts";
import { proxyTransfer } from "./lfs/transfer.ts";
import { proxyMcp } from "./mcp/mcp-proxy.ts";
import { proxyModel } from "./model/model-proxy.ts";
import { renderToAgent, tellRefusal } from "./render-to-agent.ts";
import { proxySign } from "./sign/sign-proxy.ts";

export function mountProxies(app: App): void {
  app.post("/proxy/:run_id/model/v1/messages", (c) => proxyModel(c, "messages"));
  app.post("/proxy/:run_id/model/v1/messages/count_tokens", (c) => proxyModel(c, "messages/count_tokens"));
  app.get("/proxy/:run_id/git/:number/info/refs", (c) => proxyGit(c, "info/refs"));
  app.post("/proxy/:run_id/git/:number/git-upload-pack", (c) => proxyGit(c, "git-upload-pack"));
  app.post("/proxy/:run_id/git/:number/git-receive-pack", (c) => proxyGit(c, "git-receive-pack"));
  app.post("/proxy/:run_id/git/:number/info/lfs/objects/batch", (c) => proxyLfsBatch(c));
  app.get("/proxy/:run_id/git/:number/info/lfs/objects/:ticket", (c) => proxyTransfer(c, "download"));
  app.put("/proxy/:run_id/git/:number/info/lfs/objects/:ticket", (c) => proxyTransfer(c, "upload"));
  app.post("/proxy/:run_id/git/:number/info/lfs/locks/verify", (c) => refuseLocks(c));
  app.all("/proxy/:run_id/mcp/github", (c) => proxyGithubTools(c));
  app.on(["POST", "GET", "DELETE"], "/proxy/:run_id/mcp/:name", (c) => proxyMcp(c));
  app.all("/proxy/:run_id/gh/*", (c) => proxyGh(c));
  app.post("/proxy/:run_id/sign", (c) => proxySign(c));
  app.all("/proxy/:run_id/*", async (c) => {
    const lease = await readLease(c);
    if (!lease.ok) return renderToAgent(c, lease.refusal);
    const refusal = { code: "not_found", message: "The proxies have no such path." } as const;
    await tellRefusal(c, lease.value, refusal);
    return renderToAgent(c, refusal);
  });
}
