/** Programs as they are, in a real sandbox: what they make of the relay as their proxy, at hosts that are allowed and denied. */
import { spawnSync } from "node:child_process";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { SANDBOX_TOOLS } from "#sandbox-runner/sandbox/sandbox-config.ts";
import { Bed, bash, noSandbox, report } from "./support/bed.ts";
import type { FakeRun } from "./support/fake-run.ts";
import { Internet, noCertificates, type Site } from "./support/internet.ts";
import { environmentWith } from "./support/run-order.ts";

const ALLOWED = "www.acme.dev";
const DENIED = "evil.com";
const COMMIT = "0123456789abcdef0123456789abcdef01234567";

/** Whatever the tools ask for, at every host; below `/away`, at the denied one. */
const site: Site = (url, response) => {
  const [, isAway, path = ""] = /^\/(away\/)?(.*)$/.exec(url.pathname) ?? [];
  if (isAway !== undefined) {
    response.writeHead(302, { location: `${url.protocol}//${DENIED}/${path}${url.search}` }).end();
  } else if (path === "repository.git/info/refs") response.end(`${COMMIT}\trefs/heads/main\n`);
  else if (path === "repository.git/HEAD") response.end("ref: refs/heads/main\n");
  else if (path === "npm/demo") {
    const version = { name: "demo", version: "1.2.3", dist: { tarball: `${url.origin}/demo.tgz`, shasum: "0" } };
    response.writeHead(200, { "content-type": "application/json" });
    response.end(JSON.stringify({ name: "demo", "dist-tags": { latest: "1.2.3" }, versions: { "1.2.3": version } }));
  } else if (path === "simple/demo/") {
    response.writeHead(200, { "content-type": "text/html" });
    response.end('<!doctype html><a href="demo-1.2.3.tar.gz">demo-1.2.3.tar.gz</a>');
  } else response.end("hello from the host");
};

interface Tool {
  name: string;
  /** What tells that the program is on the machine. */
  probe: readonly [program: string, ...words: string[]];
  /** The command that asks for something below an address. */
  command(address: string): string;
  /** In what it prints: that it got what it asked for. */
  got: string;
  /** In what it prints of a denied host: as much of the reason as it shows of an answer, and of a tunnel that is refused. */
  denied: { http: RegExp; https: RegExp };
}

const NODE = `
fetch(process.argv[1]).then(
  async (answer) => console.log(answer.status, await answer.text()),
  (error) => console.log(error.cause?.cause?.message ?? error),
)`;
const PYTHON = `
import sys, urllib.request
try: print(urllib.request.urlopen(sys.argv[1]).read().decode())
except urllib.error.HTTPError as error: print(error.code, error.read().decode())
except Exception as error: print(error)`;

/** The words behind the status. */
const POLICY = /403 .*Forbidden by the network policy/;

const TOOLS: readonly Tool[] = [
  {
    name: "curl",
    probe: ["curl", "--version"],
    command: (address) => `curl -sS -L --cacert $CA ${address}/hello`,
    got: "hello from the host",
    denied: { http: /does not allow evil\.com/, https: /CONNECT tunnel failed, response 403/ },
  },
  {
    name: "git",
    probe: ["git", "--version"],
    command: (address) => `git -c http.sslCAInfo=$CA ls-remote ${address}/repository.git`,
    got: `${COMMIT}\trefs/heads/main`,
    denied: { http: /returned error: 403/, https: /CONNECT tunnel failed, response 403/ },
  },
  {
    name: "npm",
    probe: ["npm", "--version"],
    command: (address) =>
      `npm view demo version --registry ${address}/npm --cafile $CA --fetch-retries 0 --cache $(mktemp -d)`,
    got: "1.2.3",
    denied: { http: POLICY, https: POLICY },
  },
  {
    name: "pip",
    probe: ["pip", "--version"],
    command: (address) =>
      `pip -vv index versions demo --index-url ${address}/simple --retries 0 --disable-pip-version-check --cert $CA ${
        address.startsWith("http:") ? `--trusted-host ${ALLOWED} --trusted-host ${DENIED}` : ""
      }`,
    got: "demo (1.2.3)",
    denied: { http: POLICY, https: POLICY },
  },
  {
    name: "Node's fetch",
    probe: [process.execPath, "--version"],
    command: (address) => `NODE_EXTRA_CA_CERTS=$CA ${process.execPath} -e '${NODE}' ${address}/hello`,
    got: "200 hello from the host",
    denied: { http: /Proxy response \(403\)/, https: /Proxy response \(403\)/ },
  },
  {
    name: "Python's urllib",
    probe: ["python3", "--version"],
    command: (address) => `SSL_CERT_FILE=$CA python3 -c '${PYTHON}' ${address}/hello`,
    got: "hello from the host",
    denied: { http: /does not allow evil\.com/, https: POLICY },
  },
];

type Scheme = "http" | "https";
type Asked = "allowed" | "denied" | "redirected";
const ADDRESSES: Record<Asked, (scheme: Scheme) => string> = {
  allowed: (scheme) => `${scheme}://${ALLOWED}`,
  denied: (scheme) => `${scheme}://${DENIED}`,
  redirected: (scheme) => `${scheme}://${ALLOWED}/away`,
};
const ASKED = Object.keys(ADDRESSES) as Asked[];
const SCHEMES: Scheme[] = ["http", "https"];

/** Those that are on this machine where a sandbox looks for programs. */
const here = TOOLS.filter(({ probe: [program, ...words] }) => {
  return spawnSync(program, words, { env: { PATH: SANDBOX_TOOLS, HOME: "/nonexistent" } }).status === 0;
});

let internet: Internet;
let bed: Bed;
let run: FakeRun;
/** What came of each command, by `nameOf`. */
const printed = new Map<string, string>();
beforeAll(async () => {
  if (noSandbox !== null || noCertificates !== null) return;
  internet = await Internet.start([ALLOWED, DENIED], site);
  bed = await Bed.make(internet.variables);
  const environment = environmentWith("", { network: { level: "custom", allow: [ALLOWED] }, setup: null });
  const authority = bash(`cat >$TMPDIR/ca.pem <<'END'\n${internet.certificate}END`);
  run = bed.run([authority, ...here.map(allOf), report("done", "Asked.")], [], { environment });
  await run.finished(120_000);
  for (const event of run.events) {
    if (event.type !== "tool.result") continue;
    for (const part of event.text.split(/^=== /m)) {
      const end = part.indexOf("\n");
      printed.set(part.slice(0, end), part.slice(end));
    }
  }
}, 180_000);
afterAll(async () => {
  await bed?.close();
  internet?.close();
});

/** One command for all that a tool asks for. */
function allOf({ name, command }: Tool) {
  const each = SCHEMES.flatMap((scheme) =>
    ASKED.map((asked) => `echo; echo "=== ${nameOf(name, scheme, asked)}"; ${command(ADDRESSES[asked](scheme))} 2>&1`),
  );
  return bash(["CA=$TMPDIR/ca.pem", ...each].join("\n"));
}

function nameOf(tool: string, scheme: Scheme, asked: Asked): string {
  return `${tool} ${scheme} ${asked}`;
}

const CELLS = TOOLS.flatMap((tool) => SCHEMES.flatMap((scheme) => ASKED.map((asked) => ({ tool, scheme, asked }))));

describe.skipIf(noSandbox !== null || noCertificates !== null)("in a sandbox", () => {
  it.for(CELLS)("$tool.name asks by $scheme for what is $asked", ({ tool, scheme, asked }, { skip }) => {
    if (!here.includes(tool)) skip(`${tool.probe[0]} is not in ${SANDBOX_TOOLS}`);
    const text = printed.get(nameOf(tool.name, scheme, asked)) ?? "";
    if (asked === "allowed") expect(text).toContain(tool.got);
    else {
      expect(text).toMatch(tool.denied[scheme]);
      expect(text).not.toContain(tool.got);
    }
  });

  it("nothing of the denied host was asked for, all was counted, and it was told once", () => {
    expect(internet.asked.filter((line) => line.includes(DENIED))).toEqual([]);
    const [allowed, denied, ...others] = run.ending?.seen.hosts ?? [];
    expect(others).toEqual([]);
    expect(allowed).toMatchObject({ host: ALLOWED, allowed: true });
    // A tunnel is one request, whatever is asked in it.
    expect(allowed?.requests).toBeGreaterThanOrEqual(here.length * 4);
    expect(allowed?.bytes_received).toBeGreaterThan(here.length * 1_000);
    expect(denied).toMatchObject({ host: DENIED, allowed: false, bytes_sent: 0, bytes_received: 0 });
    expect(denied?.requests).toBeGreaterThanOrEqual(here.length * 4);
    const told = run.events.flatMap((event) => (event.type === "notice" ? [event.message] : []));
    expect(told).toEqual([`The network policy of this run does not allow ${DENIED}.`]);
  });
});
