/** Which addresses an instance calls because a person has named them, in every spelling. */
import { describe, expect, it } from "vitest";
import { outsideAddressFault } from "#protocol/outside-address.ts";

const NOT_PUBLIC = /host of the internet/;

describe("an address outside", () => {
  it.each(["https://mcp.acme.dev/mcp", "https://mcp.acme.dev:443/", "https://bücher.example/mcp?a=b"])(
    "is %s",
    (text) => {
      expect(outsideAddressFault(URL.parse(text))).toBeNull();
    },
  );

  it.each<[string, RegExp]>([
    ["http://mcp.acme.dev/mcp", /https/],
    ["ftp://mcp.acme.dev", /https/],
    ["file:///etc/passwd", /https/],
    ["mcp.acme.dev", /https/],
    ["https://user:password@mcp.acme.dev/", /user name/],
    ["https://mcp.acme.dev@127.0.0.1/", /user name/],
    ["https://mcp.acme.dev:8443/", /port/],
    ["https://mcp.acme.dev/#x", /fragment/],
    ...[
      ...["127.0.0.1", "127.1", "0x7f.0.0.1", "0177.0.0.1", "2130706433", "0x7f000001", "017700000001", "0", "0.0.0.0"],
      ...["10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "①②⑦.⓪.⓪.①", "127。0。0。1"],
      ...[
        "[::1]",
        "[::]",
        "[fe80::1]",
        "[fd00::1]",
        "[fc00::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:a9fe:a9fe]",
        "[64:ff9b::7f00:1]",
      ],
      ...[
        "localhost",
        "LOCALHOST",
        "localhost.",
        "ｌｏｃａｌｈｏｓｔ",
        "a.localhost",
        "a.localhost.",
        "127.0.0.1.",
        "mcp.acme.dev.",
      ],
      ...[
        "metadata.google.internal",
        "intranet",
        "printer.local",
        "db.corp",
        "router.lan",
        "x.home.arpa",
        "api.default.svc",
      ],
    ].map((host): [string, RegExp] => [`https://${host}/mcp`, NOT_PUBLIC]),
  ])("is not %s", (text, words) => {
    expect(outsideAddressFault(URL.parse(text))).toMatch(words);
  });

  it.each(["http://localhost:3001/mcp", "http://127.0.0.1/", "https://[::1]:8443/mcp", "http://2130706433:3001/"])(
    "may be on this machine where that is open: %s",
    (text) => {
      expect(outsideAddressFault(URL.parse(text))).not.toBeNull();
      expect(outsideAddressFault(URL.parse(text), true)).toBeNull();
    },
  );

  it.each([
    "http://10.0.0.1/",
    "http://169.254.169.254/",
    "http://127.0.0.2/",
    "http://user@localhost/",
    "http://a.localhost/",
  ])("is nothing else where that is open: %s", (text) => {
    expect(outsideAddressFault(URL.parse(text), true)).not.toBeNull();
  });
});
