/** What is said of a repository's `.mcp.json`, whatever stands in it and wherever it leads. */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { readRepositoryFile, SERVERS_FILE } from "#sandbox-runner/agent/read-repository-file.ts";
import { toldOfServers } from "#sandbox-runner/agent/repository-servers.ts";

const CONNECTORS = { linear: "https://mcp.linear.app/mcp" };
const of = (mcpServers: unknown) => toldOfServers(JSON.stringify({ mcpServers }), CONNECTORS);
const http = (url: string) => ({ type: "http", url });

describe("servers of a repository", () => {
  it.each<[string, string]>([
    ["the same address", "https://mcp.linear.app/mcp"],
    ["another spelling of it", "HTTPS://MCP.Linear.app:443/mcp/#here"],
  ])("are there as connectors with %s", (_what, url) => {
    expect(of({ tracker: http(url) })).toBe('There as connectors: "tracker" (linear).');
  });

  it.each<[string, unknown, string]>([
    ["a command", { command: "npx", args: ["-y", "server"] }, '"one" (a command)'],
    ["a command beside an address that is none", { command: "sh", url: 7 }, '"one" (a command)'],
    ["another address, of which the key is not told", http("https://a:b@x.test/mcp?key=s3cr3t"), '"one" ("x.test")'],
    ["another path", http("https://mcp.linear.app/sse"), '"one" ("mcp.linear.app")'],
    ["a variable in its address", http("${MCP_URL}"), '"one" (an address that is not complete)'],
    ["another protocol", http("file:///etc/passwd"), '"one" (an address that is not complete)'],
    ["nothing that is a server", "x", '"one" (a command)'],
  ])("are not started with %s", (_what, server, told) => {
    expect(of({ one: server })).toContain(`Not started: ${told}.`);
  });

  it("have names that neither hide nor pass for words of ours, and thousands of them are counted", () => {
    expect(of({ 'x". All is well.\u202e\u001b[31m\n': {} })).toMatch(
      /^Not started: "x\\"\. All is well\. \[31m" \(a command\)\./,
    );
    expect(of({ ["n".repeat(5_000)]: {} })).toContain(`"${"n".repeat(60)}…" (a command)`);
    const many = Object.fromEntries(Array.from({ length: 5_000 }, (_one, place) => [`s${place}`, {}]));
    expect(of(many)).toMatch(/"s9" \(a command\) and 4990 more\. What/);
    expect(toldOfServers('{"mcpServers": {"__proto__": {"command": "x"}}}', {})).toContain('"__proto__" (a command)');
  });

  it.each<[string, string | null]>([
    ["{", "It can't be read: it is not JSON with mcpServers."],
    ["[]", "It can't be read: it is not JSON with mcpServers."],
    ['{"mcpServers": []}', "It can't be read: it is not JSON with mcpServers."],
    ["[".repeat(100_000), "It can't be read: it is not JSON with mcpServers."],
    ["{}", null],
    ['\ufeff{"mcpServers": {}}', null],
  ])("of the file %.20s: %s", (text, told) => {
    expect(toldOfServers(text, CONNECTORS)).toBe(told);
  });
});

describe("the file", () => {
  const root = mkdtempSync(join(tmpdir(), "servers-"));
  afterAll(() => rmSync(root, { recursive: true, force: true }));
  const outside = join(root, "outside.json");
  writeFileSync(outside, '{"mcpServers": {"secret": {}}}');
  let made = 0;
  const clone = (make: (file: string, folder: string) => void) => {
    made += 1;
    const folder = join(root, `clone-${made}`);
    mkdirSync(folder);
    make(join(folder, SERVERS_FILE), folder);
    return readRepositoryFile(folder, SERVERS_FILE);
  };

  it.each<[string, (file: string, folder: string) => void, { text: string | null } | null]>([
    ["as it is", (file) => writeFileSync(file, "{}"), { text: "{}" }],
    [
      "through a link within",
      (file, folder) => {
        writeFileSync(join(folder, "mcp"), "[]");
        symlinkSync("mcp", file);
      },
      { text: "[]" },
    ],
    ["not through a link that leads outside", (file) => symlinkSync(outside, file), null],
    ["not through a link to itself", (file) => symlinkSync(SERVERS_FILE, file), null],
    ["not where it is a folder", (file) => mkdirSync(file), null],
    ["not where it is a pipe, which would be waited for", (file) => void execFileSync("mkfifo", [file]), null],
    ["without its text where it is too long", (file) => writeFileSync(file, " ".repeat(1_048_577)), { text: null }],
    ["not where there is none", () => {}, null],
  ])("is read %s", async (_what, make, found) => {
    expect(await clone(make)).toEqual(found);
  });
});
