/** What of its instance a run may ask for. */
import { describe, expect, it } from "vitest";
import { ownPathKind } from "#rules/network/own-paths.ts";

const RUN = "run_0ABCDEFGHJKMNPQRSTVWXYZ012";
const OTHER = "run_0ABCDEFGHJKMNPQRSTVWXYZ013";

describe("a run's own paths", () => {
  it.each([
    [`/runner/runs/${RUN}/link`, "link"],
    [`/runner/runs/${RUN}/setup/${"0a".repeat(32)}`, "setup"],
    [`/proxy/${RUN}/model/v1/messages`, "proxy"],
    [`/proxy/${RUN}/model/v1/messages?beta=true`, "proxy"],
    [`/proxy/${RUN}/model/v1/messages/count_tokens`, "proxy"],
    [`/proxy/${RUN}/git/0/info/refs?service=git-upload-pack`, "proxy"],
    [`/proxy/${RUN}/git/12/git-receive-pack`, "proxy"],
    [`/proxy/${RUN}/anything`, "proxy"],
    [`/proxy/${RUN}/a?q=%2e%2e/&r=[1]`, "proxy"],
    [`/proxy/${RUN}/a?`, "proxy"],
  ])("%s", (target, kind) => {
    expect(ownPathKind(target, RUN)).toBe(kind);
  });

  it.each([
    `/runner/runs/${RUN}/setup`,
    `/runner/runs/${RUN}/setup/`,
    `/runner/runs/${RUN}/setup/${"0A".repeat(32)}`,
    `/runner/runs/${RUN}/setup/${"0a".repeat(31)}`,
    `/runner/runs/${RUN}/setup/${"0a".repeat(32)}/x`,
    `/runner/runs/${RUN}/setup/${"0a".repeat(32)}?x=1`,
    `/runner/runs/${RUN}/setup/${"0a".repeat(30)}/../`,
    `/runner/runs/${OTHER}/setup/${"0a".repeat(32)}`,
    // Other paths of the instance.
    "",
    "/",
    "/healthz",
    "/readyz",
    "/openapi.json",
    "/api/v1/routines",
    "/v1/claude_code/routines/rtn_0ABCDEFGHJKMNPQRSTVWXYZ012/fire",
    "/webhooks/github",
    "/runner/pool",
    "/runner/runs",
    "/proxy",
    "/proxy/",
    `/proxy/${RUN}`,
    `/proxy/${RUN}/`,
    "/cdn-cgi/handler/scheduled",
    "*",
    // Another run's.
    `/runner/runs/${OTHER}/link`,
    `/proxy/${OTHER}/model/v1/messages`,
    `/proxy/${RUN}0/model/v1/messages`,
    `/proxy/${RUN.slice(0, -1)}/model/v1/messages`,
    // The link, nearly.
    `/runner/runs/${RUN}/link/`,
    `/runner/runs/${RUN}/link?run=${OTHER}`,
    `/runner/runs/${RUN}/link?`,
    `/runner/runs/${RUN}/link#`,
    `/runner/runs/${RUN}/link/../../${OTHER}/link`,
    `/runner/runs//${RUN}/link`,
    `/runner/runs/${RUN}//link`,
    `/runner/./runs/${RUN}/link`,
    `/runner/runs/${RUN}/%6cink`,
    `/runner%2fruns/${RUN}/link`,
    `/runner/runs/${RUN}/link;a=b`,
    `/runner/runs/${RUN}/link%00`,
    `/runner/runs/${RUN}/link `,
    `/runner/runs/${RUN}/link\r\nX: y`,
    `//runner/runs/${RUN}/link`,
    // Dots, in all their spellings.
    `/proxy/${RUN}/../${OTHER}/model/v1/messages`,
    `/proxy/${RUN}/..`,
    `/proxy/${RUN}/.`,
    `/proxy/${RUN}/./model`,
    `/proxy/${RUN}/git/../../../healthz`,
    `/proxy/${RUN}/%2e%2e/${OTHER}/model`,
    `/proxy/${RUN}/.%2E/${OTHER}/model`,
    `/proxy/${RUN}/%2e/model`,
    `/proxy/${RUN}/%252e%252e/${OTHER}/model`,
    `/proxy/${RUN}/..%2f${OTHER}/model`,
    `/proxy/${RUN}/..%5c${OTHER}/model`,
    `/proxy/${RUN}/..\\${OTHER}\\model`,
    `/proxy/${RUN}/..;/${OTHER}/model`,
    `/proxy/${RUN}/\u2025/${OTHER}`,
    `/proxy/${RUN}/\uff0e\uff0e/${OTHER}`,
    `/proxy/${RUN}/.git`,
    // Empty segments.
    `/proxy/${RUN}//model/v1/messages`,
    `/proxy/${RUN}/model//v1/messages`,
    `/proxy//${RUN}/model/v1/messages`,
    `//proxy/${RUN}/model/v1/messages`,
    `/proxy/${RUN}/model/`,
    `\\proxy\\${RUN}\\model`,
    // Case and escapes.
    `/Proxy/${RUN}/model/v1/messages`,
    `/proxy/${RUN.toLowerCase()}/model/v1/messages`,
    `/proxy/%72un_${RUN.slice(4)}/model`,
    `/proxy/${RUN}%2fmodel`,
    `/proxy/${RUN}/model%2fv1`,
    `/proxy/${RUN}/model%00`,
    `/proxy/${RUN}/model\0`,
    `/proxy/${RUN}/model\n`,
    `/proxy/${RUN}/model v1`,
    `/proxy/${RUN}/m\u00f6del`,
    `/proxy/${RUN}/model#a`,
    `/proxy/${RUN}/model?a#b`,
    `/proxy/${RUN}/model?a?b`,
    `/proxy/${RUN}/model?a b`,
    `/proxy/${RUN}/model?a\r\nX: y`,
    `/proxy/${RUN}/model?\u00e9`,
    `/proxy/${RUN}/a?${"x".repeat(8_192)}`,
    // Whole addresses, which a proxy's request line has.
    `http://reveille.internal/proxy/${RUN}/model`,
    `http://user:password@reveille.internal/proxy/${RUN}/model`,
    `//reveille.internal/proxy/${RUN}/model`,
    `@reveille.internal/proxy/${RUN}/model`,
    `:8787/proxy/${RUN}/model`,
    `reveille.internal/proxy/${RUN}/model`,
    ` /proxy/${RUN}/model`,
    `proxy/${RUN}/model`,
    // The run's own path within another.
    `/api/v1/runs/proxy/${RUN}/model`,
    `/x/proxy/${RUN}/model`,
    `/healthz?/proxy/${RUN}/model`,
  ])("are not %j", (target) => {
    expect(ownPathKind(target, RUN)).toBe(null);
  });
});
