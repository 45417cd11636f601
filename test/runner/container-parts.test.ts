/** What a runner in a container of its own decides: whether its agent has rights, whom it trusts, how much a run may use. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { bridgeTo } from "#sandbox-runner/link/bridge.ts";
import { containerBounds } from "#sandbox-runner/process/run-bounds.ts";
import { processesOf } from "#sandbox-runner/process/run-usage.ts";
import { trustAuthority } from "#sandbox-runner/sandbox/authority.ts";
import { privilegeFault } from "#sandbox-runner/sandbox/privileges.ts";
import { containerOwner } from "#sandbox-runner/sandbox/sandbox-owner.ts";
import { importsOf } from "../rules/support/imports.ts";

const ROOT = join(import.meta.dirname, "..", "..");
const MIB = 1_048_576;
const folders: string[] = [];

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

function temporary(): string {
  const folder = mkdtempSync(join(tmpdir(), "reveille-container-"));
  folders.push(folder);
  return folder;
}

describe("a process of the agent's", () => {
  const NONE = "0000000000000000";
  const good = {
    Name: "cat",
    Uid: "60600\t60600\t60600\t60600",
    Gid: "61183\t61183\t61183\t61183",
    Groups: " ",
    ...{ CapInh: NONE, CapPrm: NONE, CapEff: NONE, CapBnd: NONE, CapAmb: NONE },
    NoNewPrivs: "1",
  };
  const fault = (changes: Record<string, string | null>) => {
    const lines = Object.entries({ ...good, ...changes }).flatMap(([name, value]) =>
      value === null ? [] : [`${name}:\t${value}\n`],
    );
    return privilegeFault(lines.join(""), { uid: 60_600, gid: 61_183 });
  };

  it("has none", () => {
    expect(fault({})).toBeNull();
  });

  it.each<[Record<string, string | null>, string]>([
    [{ Uid: "0\t0\t0\t0" }, "Uid is"],
    [{ Uid: "60600\t0\t60600\t60600" }, "Uid is"],
    [{ Uid: "60600\t60600\t0\t60600" }, "Uid is"],
    [{ Gid: "0\t61183\t61183\t61183" }, "Gid is"],
    [{ Groups: "0 " }, "Groups is 0, not empty"],
    [{ CapInh: "00000000a80425fb" }, "CapInh is"],
    [{ CapPrm: "00000000a80425fb" }, "CapPrm is"],
    [{ CapEff: "0000000000000001" }, "CapEff is"],
    [{ CapBnd: "00000000a80425fb" }, "CapBnd is 00000000a80425fb, not 0000000000000000"],
    [{ CapAmb: "0000000000200000" }, "CapAmb is"],
    [{ NoNewPrivs: "0" }, "NoNewPrivs is 0, not 1"],
    [{ NoNewPrivs: null }, "NoNewPrivs is empty"],
    [{ CapBnd: null, CapEff: null }, "CapEff is empty, not 0000000000000000; CapBnd is empty"],
  ])("with %o is told", (changes, words) => {
    expect(fault(changes)).toContain(words);
  });
});

it("runs as one of many users, none of which is root's or the machine's", () => {
  expect([0, 0.5, 0.999_999].map((chance) => containerOwner(chance).uid)).toEqual([60_578, 60_880, 61_182]);
});

it.each([
  ["as the platform's", 6_144, 10_000, Infinity, { processes: 4_096, memory_mib: 5_632, disk_mib: 9_488 }],
  ["on a machine of others", 64_000, 1_000_000, 2_048, { processes: 1_984, memory_mib: 11_776, disk_mib: 19_968 }],
  ["with hardly anything", 300, 100, 20, { processes: 1, memory_mib: 1, disk_mib: 1 }],
])("a run may use what is there, %s", (_what, memory, disk, processes, expected) => {
  expect(containerBounds(memory * MIB, disk * MIB, processes)).toEqual(expected);
});

it("finds a user's processes that have not ended", () => {
  const uid = process.getuid?.() ?? -1;
  expect(processesOf(uid)).toContain(process.pid);
  expect(processesOf(4_000_000_000)).toEqual([]);
});

describe("whoever opens connections on their way out", () => {
  const PEM = "-----BEGIN CERTIFICATE-----\nTUlJ\nQnpD\n-----END CERTIFICATE-----\n";
  const prepare = () => {
    const folder = temporary();
    const files = {
      authority: join(folder, "authority.crt"),
      bundle: join(folder, "bundle.crt"),
      chromiumPolicy: join(folder, "policies", "managed", "authority.json"),
    };
    writeFileSync(files.bundle, "the system's\n");
    return files;
  };

  it("is trusted by what the agent starts, and written down once", () => {
    const files = prepare();
    writeFileSync(files.authority, PEM);
    const variables = trustAuthority(files);
    expect(variables).toMatchObject({
      NODE_EXTRA_CA_CERTS: files.authority,
      GIT_SSL_CAINFO: files.bundle,
      SSL_CERT_FILE: files.bundle,
      PIP_CERT: files.bundle,
    });
    expect(trustAuthority(files)).toEqual(variables);
    expect(readFileSync(files.bundle, "utf8")).toBe(`the system's\n\n${PEM}`);
    expect(JSON.parse(readFileSync(files.chromiumPolicy, "utf8"))).toEqual({ CACertificates: ["TUlJQnpD"] });
  });

  it("is nobody where there is none", () => {
    const files = prepare();
    expect(trustAuthority(files)).toBeNull();
    expect(readFileSync(files.bundle, "utf8")).toBe("the system's\n");
  });
});

describe("a bridge to a socket", () => {
  it("carries what is said both ways, and tells when nobody listens any more", async () => {
    const path = join(temporary(), "host.sock");
    const far = createServer((socket) =>
      socket.resume().end("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi"),
    );
    await new Promise<void>((ready) => far.listen(path, ready));
    const gone = Promise.withResolvers<void>();
    const url = await bridgeTo(path, gone.resolve);
    expect(await (await fetch(url)).text()).toBe("hi");
    await new Promise((closed) => far.close(closed));
    await expect(fetch(url)).rejects.toThrow();
    await gone.promise;
  });
});

describe("the image's packages", () => {
  const own = JSON.parse(readFileSync(join(ROOT, "sandbox-runner/image/package.json"), "utf8"));
  const lock = JSON.parse(readFileSync(join(ROOT, "sandbox-runner/image/package-lock.json"), "utf8"));
  const project = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));

  it("have the versions of the project's", () => {
    for (const [name, version] of Object.entries(own.dependencies))
      expect([name, project.dependencies[name]]).toEqual([name, version]);
    expect(lock.packages[""].dependencies).toEqual(own.dependencies);
  });

  it("are all that a runner in a container loads", () => {
    const seen = new Set<string>();
    const packages = new Set<string>();
    const visit = (file: string) => {
      if (seen.has(file)) return;
      seen.add(file);
      for (const { target, isType } of importsOf(file, readFileSync(join(ROOT, file), "utf8"))) {
        if (isType || target.startsWith("node:")) continue;
        if (/\.ts$/.test(target)) visit(target);
        else packages.add(target);
      }
    };
    visit("sandbox-runner/container-main.ts");
    expect([...packages].sort()).toEqual(Object.keys(own.dependencies).sort());
    const rooms = new Set([...seen].map((file) => file.split("/")[0]));
    expect(Object.keys(own.imports)).toEqual(
      [...rooms]
        .filter((room) => room !== "sandbox-runner")
        .sort()
        .map((room) => `#${room}/*`),
    );
  });
});
