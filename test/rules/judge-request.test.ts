/** Where a request that leaves a container may go. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { isPublicName } from "#protocol/public-name.ts";
import { judgeRequest, type NetworkPolicy, TRUSTED } from "#rules/network/judge-request.ts";
import { TRUSTED_HOSTS } from "#rules/network/trusted-hosts.ts";

const RUN = "run_0ABCDEFGHJKMNPQRSTVWXYZ012";
const OTHER = "run_0ABCDEFGHJKMNPQRSTVWXYZ013";
/** As wide as a policy can be written. */
const ALL: NetworkPolicy = {
  allow: ["*.com", "*.internal", "*.local", "localhost", "127.0.0.1", "[::1]", "github.com."],
};

function judge(url: string, { policy = TRUSTED, isUpgrade = false, method = "GET" } = {}) {
  const verdict = judgeRequest({ method, url: URL.parse(url), isUpgrade }, { id: RUN, policy });
  return verdict.to === "nowhere" ? verdict.reason : verdict.to === "instance" ? verdict.kind : verdict.to;
}

describe("a request that leaves a container", () => {
  it.each([
    ["https://nodejs.org/dist", "internet"],
    ["https://nodejs.org:443/dist", "internet"],
    ["http://nodejs.org:80/dist/", "internet"],
    ["https://NODEJS.org/dist", "internet"],
    ["https://n%6fdejs.org/dist", "internet"],
    ["https://s3.eu-central-1.amazonaws.com/bucket", "internet"],
    ["https://a.b.c.amazonaws.com/", "internet"],
    ["https://gcr.io/", "internet"],
    // Other hosts, and those that only look like one of the list.
    ["https://example.com/", "host_not_allowed"],
    ["https://amazonaws.com/", "host_not_allowed"],
    ["https://evilamazonaws.com/", "host_not_allowed"],
    ["https://nodejs.org.evil.com/", "host_not_allowed"],
    ["https://evil-nodejs.org/", "host_not_allowed"],
    ["https://sub.github.com/", "host_not_allowed"],
    ["https://github.com./", "host_not_allowed"],
    ["https://github.com%00.evil.com/", "host_not_allowed"],
    ["http://reveille.internal, evil.com/x", "host_not_allowed"],
    ["@evil.com/x", "host_not_allowed"],
    [".evil.com/x", "host_not_allowed"],
    ["", "host_not_allowed"],
    ["https://github.com@evil.com/", "host_not_allowed"],
    ["https://evil.com#github.com", "host_not_allowed"],
    ["https://evil.com\\@github.com/", "host_not_allowed"],
    ["https://g\u0456thub.com/", "host_not_allowed"],
    ["https://*.amazonaws.com/", "host_not_allowed"],
    ["https://.amazonaws.com/", "host_not_allowed"],
    // What else an address can hold.
    ["https://user:password@github.com/", "host_not_allowed"],
    ["https://user@github.com/", "host_not_allowed"],
    ["https://github.com:22/", "host_not_allowed"],
    ["https://github.com:80/", "host_not_allowed"],
    ["http://github.com:443/", "host_not_allowed"],
    ["https://github.com:8443/", "host_not_allowed"],
    ["ftp://github.com/", "host_not_allowed"],
    ["ws://github.com/", "host_not_allowed"],
    ["data:text/plain,github.com", "host_not_allowed"],
    // The instance.
    [`http://reveille.internal/runner/runs/${RUN}/link`, "link"],
    [`http://reveille.internal/proxy/${RUN}/model/v1/messages?beta=true`, "proxy"],
    [`https://reveille.internal/proxy/${RUN}/git/0/git-upload-pack`, "proxy"],
    [`http://REVEILLE.internal/proxy/${RUN}/x`, "proxy"],
    [`http://reveille.internal/proxy/${RUN}/a/../b`, "proxy"],
    [`http://reveille.internal/proxy/${RUN}/../${OTHER}/b`, "path_not_allowed"],
    [`http://reveille.internal/proxy/${RUN}/%2e%2e/${OTHER}/b`, "path_not_allowed"],
    [`http://reveille.internal/proxy/${RUN}/..\\${OTHER}/b`, "path_not_allowed"],
    [`http://reveille.internal/proxy/${OTHER}/model/v1/messages`, "path_not_allowed"],
    [`http://reveille.internal/runner/runs/${OTHER}/link`, "path_not_allowed"],
    ["http://reveille.internal/", "path_not_allowed"],
    ["http://reveille.internal/healthz", "path_not_allowed"],
    ["http://reveille.internal/readyz", "path_not_allowed"],
    ["http://reveille.internal/openapi.json", "path_not_allowed"],
    ["http://reveille.internal/api/v1/routines", "path_not_allowed"],
    ["http://reveille.internal/webhooks/github", "path_not_allowed"],
    ["http://reveille.internal/runner/pool", "path_not_allowed"],
    ["http://reveille.internal/cdn-cgi/handler/scheduled", "path_not_allowed"],
    [`http://reveille.internal:8787/proxy/${RUN}/x`, "host_not_allowed"],
    [`http://user@reveille.internal/proxy/${RUN}/x`, "host_not_allowed"],
    [`http://reveille.internal./proxy/${RUN}/x`, "host_not_allowed"],
    [`http://x.reveille.internal/proxy/${RUN}/x`, "host_not_allowed"],
  ])("%s: %s", (url, expected) => {
    expect(judge(url)).toBe(expected);
  });

  it("reaches no host without one in its policy, and its instance all the same", () => {
    const none = { policy: { allow: [] } };
    expect(judge("https://github.com/", none)).toBe("host_not_allowed");
    expect(judge(`http://reveille.internal/proxy/${RUN}/x`, none)).toBe("proxy");
  });

  it("opens a WebSocket on its link alone", () => {
    const upgrade = { isUpgrade: true };
    expect(judge(`http://reveille.internal/runner/runs/${RUN}/link`, upgrade)).toBe("link");
    expect(judge(`http://reveille.internal/proxy/${RUN}/x`, upgrade)).toBe("websocket_not_allowed");
    expect(judge(`http://reveille.internal/api/v1/sessions/x/live`, upgrade)).toBe("path_not_allowed");
    expect(judge("https://github.com/", upgrade)).toBe("websocket_not_allowed");
    expect(judge("https://example.com/", upgrade)).toBe("host_not_allowed");
  });

  it("is told what was refused, without its query, and without what could end a line", () => {
    const words = (url: string) => {
      const verdict = judgeRequest(
        { method: "GET", url: URL.parse(url), isUpgrade: false },
        { id: RUN, policy: TRUSTED },
      );
      return verdict.to === "nowhere" ? verdict.refusal.message : null;
    };
    expect(words("https://evil.com:8443/a?token=secret")).toMatch(/not https:\/\/evil\.com:8443\.$/);
    expect(words("https://user:password@evil.com/")).not.toContain("password");
    expect(words("http://reveille.internal/api/v1/runs?token=secret")).toMatch(/not GET \/api\/v1\/runs\.$/);
    expect(words(`http://reveille.internal/${"x".repeat(10_000)}`)?.length).toBeLessThan(300);
  });
});

describe("whatever a policy allows", () => {
  it.each([
    "http://127.0.0.1/",
    "http://127.1/",
    "http://2130706433/",
    "http://0x7f000001/",
    "http://0x7f.0.0.1/",
    "http://0177.0.0.1/",
    "http://0/",
    "http://0.0.0.0/",
    "http://10.0.0.1/",
    "http://172.16.0.1/",
    "http://192.168.1.1/",
    "http://100.64.0.1/",
    "http://11.0.0.1/",
    "http://8.8.8.8/",
    "http://169.254.169.254/latest/meta-data/",
    "http://2852039166/latest/meta-data/",
    "http://0xa9fea9fe/latest/meta-data/",
    "http://0251.0376.0251.0376/",
    "http://\uff11\uff12\uff17.0.0.1/",
    "http://[::1]/",
    "http://[::]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[::ffff:a9fe:a9fe]/",
    "http://[fd00:ec2::254]/",
    "http://[fe80::1]/",
    "http://[64:ff9b::7f00:1]/",
    "http://localhost/",
    "http://localhost./",
    "http://LOCALHOST/",
    "http://a.localhost/",
    "http://metadata/",
    "http://metadata.google.internal/computeMetadata/v1/",
    "http://instance-data.ec2.internal/",
    "http://host.docker.internal/",
    "http://host.containers.internal/",
    "http://printer.local/",
    "http://router.lan/",
    "http://nas.home.arpa/",
    "http://kubernetes.default.svc.cluster.local/",
    "http://com/",
    "http://github.com./",
    "http://github.com../",
    "http://a..com/",
    "http://-a.com/",
    `http://${"a.".repeat(130)}com/`,
  ])("%s is nowhere", (url) => {
    expect(judge(url, { policy: ALL })).toBe("host_not_allowed");
  });
});

describe("the trusted hosts", () => {
  const all = Object.values(TRUSTED_HOSTS).flat();

  it.each(all)("%s is a name of the public DNS", (host) => {
    expect(isPublicName(host.replace(/^\*\./, ""))).toBe(true);
    expect(host).toBe(host.toLowerCase());
  });

  it("are each there once", () => {
    expect(all.length).toBe(new Set(all).size);
    expect(all.length).toBeGreaterThan(200);
  });

  it("are shown in the documents as they are", () => {
    const text = readFileSync(join(import.meta.dirname, "../../docs/network.md"), "utf8");
    const rows = [...text.matchAll(/^\| ([A-Z][^|]*[^ |]) *\| (`[^|]*`) *\|$/gm)];
    const shown = rows.map(([, group, hosts = ""]) => [group, hosts.replaceAll("`", "").split(", ")]);
    expect(Object.fromEntries(shown)).toEqual(TRUSTED_HOSTS);
  });
});
