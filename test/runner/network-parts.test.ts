/** The parts of the way out: addresses, the machine's own proxy, the count of hosts. */
import { describe, expect, it } from "vitest";
import { hostUsesSchema } from "#protocol/host-use.ts";
import { HostTally } from "#rules/network/host-tally.ts";
import { exceptions, parentOf } from "#sandbox-runner/network/parent-proxy.ts";
import { isPublicAddress } from "#sandbox-runner/network/public-addresses.ts";
import { ADDRESS_ROWS } from "#test/support/policy-rows.ts";

describe("an address", () => {
  it.each(ADDRESS_ROWS)("%s is public: %s", (address, isPublic) => {
    expect(isPublicAddress(address)).toBe(isPublic);
  });

  it("of this machine is none, though it is one of the internet's", () => {
    expect(isPublicAddress("93.184.215.14", new Set(["93.184.215.14"]))).toBe(false);
  });
});

describe("the machine's proxy", () => {
  it.each([
    ["", null],
    ["proxy.example:3128", "http://proxy.example:3128/"],
    ["http://user:pass@proxy.example", "http://user:pass@proxy.example/"],
    ["https://proxy.example:8443", "https://proxy.example:8443/"],
    ["socks5://proxy.example", null],
    ["http://", null],
  ])("%s is %s", (text, href) => {
    expect(parentOf(text)?.href ?? null).toBe(href);
  });

  it.each([
    ["", "a.com", 443, false],
    ["*", "a.com", 443, true],
    ["a.com", "a.com", 443, true],
    ["a.com", "b.a.com", 443, true],
    [".a.com", "b.a.com", 443, true],
    ["*.a.com", "b.a.com", 443, true],
    ["A.com", "a.com", 443, true],
    ["a.com", "xa.com", 443, false],
    ["x, a.com  y", "a.com", 443, true],
    ["a.com:443", "a.com", 443, true],
    ["a.com:80", "a.com", 443, false],
    ["10.0.0.0/8,localhost", "a.com", 443, false],
    [".", "a.com", 443, false],
  ])("%s excepts %s:%s: %s", (list, host, port, isExcepted) => {
    expect(exceptions(list)(host, port)).toBe(isExcepted);
  });
});

describe("the count of hosts", () => {
  const row = (host: string, allowed = true) => ({ host, allowed, requests: 1, bytes_sent: 2, bytes_received: 3 });

  it("adds up what was asked of the same host, allowed and not", () => {
    const tally = new HostTally([row("a.com"), row("b.com"), row("a.com"), row("a.com", false)]);
    expect(tally.rows).toEqual([
      { ...row("a.com"), requests: 2, bytes_sent: 4, bytes_received: 6 },
      row("b.com"),
      row("a.com", false),
    ]);
  });

  it("keeps a row for all that are too many, and lets none hide the other kind", () => {
    const tally = new HostTally();
    for (let number = 0; number < 500; number += 1) tally.add(row(`h${number}.com`, false));
    tally.add(row("late.com"));
    expect(tally.rows).toHaveLength(101);
    expect(tally.rows[99]).toEqual({ ...row("*", false), requests: 401, bytes_sent: 802, bytes_received: 1_203 });
    expect(new HostTally(tally.rows).rows).toEqual(tally.rows);
  });

  it("fits what a run is told with, whatever is asked for, and however much is announced", () => {
    const tally = new HostTally();
    const most = { requests: Number.MAX_SAFE_INTEGER, bytes_sent: 1e15, bytes_received: 1e15 };
    for (let number = 0; number < 20; number += 1) tally.add({ ...row("a.com"), ...most });
    for (const host of ["a".repeat(253), "a".repeat(254), `${"a.".repeat(5_000)}com`, ""]) tally.add(row(host, false));
    expect(hostUsesSchema.safeParse(tally.rows).error).toBeUndefined();
    expect(tally.rows.map(({ host, requests }) => [host, requests])).toEqual([
      ["a.com", Number.MAX_SAFE_INTEGER],
      ["a".repeat(253), 1],
      ["*", 3],
    ]);
  });
});
