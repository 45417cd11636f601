/** Where a request that leaves a run's sandbox may go. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type Network, networkSchema } from "#protocol/environment.ts";
import { isPublicName } from "#protocol/public-name.ts";
import { judgeRequest } from "#rules/network/judge-request.ts";
import { TRUSTED_HOSTS } from "#rules/network/trusted-hosts.ts";
import { OWN_RUN, POLICIES, POLICY_ROWS } from "#test/support/policy-rows.ts";

function judge(ask: string, policy: Network, isUpgrade = false) {
  const verdict = judgeRequest({ method: "GET", url: URL.parse(ask), isUpgrade }, { id: OWN_RUN, policy });
  return verdict.to === "nowhere" ? verdict.reason : verdict.to === "instance" ? verdict.kind : verdict.to;
}

function named(name: keyof typeof POLICIES): Network {
  return networkSchema.parse(POLICIES[name]);
}

describe("a request that leaves a sandbox", () => {
  it.each(POLICY_ROWS)("$policy, upgrade $isUpgrade: $ask is for $verdict", ({ policy, ask, isUpgrade, verdict }) => {
    expect(judge(ask, named(policy), isUpgrade)).toBe(verdict);
  });

  it("is in the table in every way once", () => {
    const ways = POLICY_ROWS.map(({ policy, ask, isUpgrade }) => `${policy} ${isUpgrade} ${ask}`);
    expect(ways.length).toBe(new Set(ways).size);
    expect(ways.length).toBeGreaterThan(100);
  });

  it.each([
    "https://nodejs.org%00.evil.com/",
    "http://reveille.internal, evil.com/x",
    "@evil.com/x",
    ".evil.com/x",
    "",
    "https://evil.com#nodejs.org",
    "https://evil.com\\@nodejs.org/",
    "https://nodejs.org:80/",
    "ftp://nodejs.org/",
    "ws://nodejs.org/",
    "file:///etc/passwd",
    "data:text/plain,nodejs.org",
  ])("%s is nowhere", (ask) => {
    expect(judge(ask, named("trusted"))).toBe("host_not_allowed");
  });

  it("finds no way to a private name that a policy allows", () => {
    const allow = ["*.internal", "*.local", "localhost", "127.0.0.1", "[::1]", "github.com."];
    for (const level of ["trusted", "custom"] as const) {
      for (const host of ["metadata.google.internal", "printer.local", "localhost", "127.0.0.1", "[::1]"]) {
        expect(judge(`http://${host}/`, { level, allow })).toBe("host_not_allowed");
      }
    }
  });

  it("opens a WebSocket on its link", () => {
    expect(judge(`http://reveille.internal/runner/runs/${OWN_RUN}/link`, named("none"), true)).toBe("link");
  });

  it("is told what was refused, without its query, and without what could end a line", () => {
    const words = (url: string) => {
      const verdict = judgeRequest(
        { method: "GET", url: URL.parse(url), isUpgrade: false },
        { id: OWN_RUN, policy: named("trusted") },
      );
      return verdict.to === "nowhere" ? verdict.refusal.message : null;
    };
    expect(words("https://evil.com:8443/a?token=secret")).toMatch(/not https:\/\/evil\.com:8443\.$/);
    expect(words("https://user:password@evil.com/")).not.toContain("password");
    expect(words("http://reveille.internal/api/v1/runs?token=secret")).toMatch(/not GET \/api\/v1\/runs\.$/);
    expect(words(`http://reveille.internal/${"x".repeat(10_000)}`)?.length).toBeLessThan(300);
  });
});

describe("the trusted hosts", () => {
  const all = Object.values(TRUSTED_HOSTS).flat();

  it.each(all)("%s is a name of the public DNS", (host) => {
    expect(isPublicName(host.replace(/^\*\./, ""))).toBe(true);
    expect(host).toBe(host.toLowerCase());
  });

  it("are each there once, and few stand for all names below them", () => {
    expect(all.length).toBe(new Set(all).size);
    expect(all.length).toBeGreaterThan(150);
    // Each is looked at before it comes in: one owner has all the names below it.
    expect(all.filter((host) => host.startsWith("*."))).toEqual([
      "*.data.mcr.microsoft.com",
      "*.dl.sourceforge.net",
      "*.modelcontextprotocol.io",
    ]);
  });

  it("are shown in the documents as they are", () => {
    const text = readFileSync(join(import.meta.dirname, "../../docs/network.md"), "utf8");
    const rows = [...text.matchAll(/^\| ([A-Z][^|]*[^ |]) *\| (`[^|]*`) *\|$/gm)];
    const shown = rows.map(([, group, hosts = ""]) => [group, hosts.replaceAll("`", "").split(", ")]);
    expect(Object.fromEntries(shown)).toEqual(TRUSTED_HOSTS);
  });
});
