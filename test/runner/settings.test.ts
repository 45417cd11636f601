/** What a runner is told by its environment. */
import { describe, expect, it } from "vitest";
import { readSettings } from "#sandbox-runner/runner/settings.ts";

const good = {
  REVEILLE_URL: "http://localhost:8787/",
  RUNNER_TOKEN: "x".repeat(32),
  REVEILLE_STATE: "/var/lib/reveille",
};

describe("a runner's settings", () => {
  it("has a default for everything that can have one", () => {
    const read = readSettings(good);
    expect(read).toMatchObject({
      ok: true,
      settings: {
        url: "http://localhost:8787",
        stateFolder: "/var/lib/reveille",
        sandbox: "auto",
        runnerId: null,
        drainMs: 0,
        capacity: expect.any(Number),
      },
    });
  });

  it("takes every value that is given", () => {
    const given = { ...good, REVEILLE_RUNNER_ID: "big-1", REVEILLE_CAPACITY: "7", REVEILLE_SANDBOX: "none" };
    expect(readSettings(given)).toMatchObject({ settings: { runnerId: "big-1", capacity: 7, sandbox: "none" } });
  });

  it.each([
    [{}, null],
    [{ REVEILLE_EXECUTOR: "" }, null],
    [{ REVEILLE_EXECUTOR: "/srv/execute-run.js" }, "/srv/execute-run.js"],
  ])("given %j, starts %s as its executor", (given, executor) => {
    expect(readSettings({ ...good, ...given })).toMatchObject({ settings: { executor } });
  });

  it.each<[Record<string, string>, number]>([
    [{}, 1],
    [{ REVEILLE_SPARES: "3" }, 3],
    [{ REVEILLE_SPARES: "3", REVEILLE_PREPARED_AGENTS: "0" }, 0],
    [{ REVEILLE_PREPARED_AGENTS: "2" }, 2],
  ])("given %j, prepares so many agents: %i", (given, agents) => {
    expect(readSettings({ ...good, ...given })).toMatchObject({ settings: { agents } });
  });

  it.each<[Record<string, string>, number]>([
    [{}, 1],
    [{ REVEILLE_SPARES: "3" }, 1],
    [{ REVEILLE_SPARES: "0" }, 0],
    [{ REVEILLE_PREPARED_AGENTS: "0" }, 0],
    [{ REVEILLE_PREPARED_ROUTINES: "0" }, 0],
    [{ REVEILLE_PREPARED_AGENTS: "0", REVEILLE_PREPARED_ROUTINES: "3" }, 3],
  ])("given %j, prepares for so many routines: %i", (given, routines) => {
    expect(readSettings({ ...good, ...given })).toMatchObject({ settings: { routines } });
  });

  it.each([
    ["HTTP://Reveille.Example.com:80/", "http://reveille.example.com"],
    ["https://example.com/teams/one//", "https://example.com/teams/one"],
  ])("reads the address %s as %s", (url, read) => {
    expect(readSettings({ ...good, REVEILLE_URL: url })).toMatchObject({ settings: { url: read } });
  });

  it.each([
    ["http://x/?", "query"],
    ["http://x/?a=1", "query"],
    ["http://x/#", "fragment"],
    ["http://user@x", "user name"],
    ["http://user:password-0001@x", "user name"],
    ["http://:password-0001@x", "password"],
    ["ftp://x", "the instance's address"],
    ["x:8787", "the instance's address"],
  ])("refuses the address %s, and tells no password", (url, word) => {
    const read = readSettings({ ...good, REVEILLE_URL: url });
    expect(read).toEqual({ ok: false, faults: [expect.stringMatching(`^REVEILLE_URL: .*${word}`)] });
    expect(JSON.stringify(read)).not.toContain("password-0001");
  });

  it("bounds runs, each bound by itself", () => {
    const read = (given: Record<string, string>) => readSettings({ ...good, ...given });
    const given = { REVEILLE_RUN_PROCESSES: "64", REVEILLE_RUN_MEMORY_MIB: "256", REVEILLE_RUN_DISK_MIB: "1" };
    expect(read(given)).toMatchObject({ settings: { bounds: { processes: 64, memory_mib: 256, disk_mib: 1 } } });
    expect(read({ REVEILLE_RUN_DISK_MIB: "5" })).toMatchObject({
      settings: { bounds: { processes: 1_024, disk_mib: 5 } },
    });
    for (const wrong of ["0", "-1", "1.5", "1e3", "many", "99999999"]) {
      const faults = Object.keys(given).map((name) => read({ [name]: wrong }));
      for (const found of faults)
        expect(found).toMatchObject({ ok: false, faults: [expect.stringContaining("must be")] });
    }
  });

  it("takes an engine together with an image", () => {
    const read = (given: Record<string, string>) => readSettings({ ...good, ...given });
    expect(read({ REVEILLE_ENGINE: "podman", REVEILLE_IMAGE: "x:1" })).toMatchObject({
      settings: { engine: { program: "podman", image: "x:1" } },
    });
    expect(read({ REVEILLE_ENGINE: "sandbox" })).toMatchObject({ settings: { engine: null } });
    expect(read({ REVEILLE_ENGINE: "docker" })).toMatchObject({ faults: [expect.stringMatching(/^REVEILLE_IMAGE: /)] });
    expect(read({ REVEILLE_IMAGE: "--privileged" })).toMatchObject({
      faults: [expect.stringMatching(/^REVEILLE_IMAGE: /)],
    });
  });

  it("names every fault at once", () => {
    const read = readSettings({
      REVEILLE_URL: "localhost:8787",
      RUNNER_TOKEN: "short",
      REVEILLE_CAPACITY: "0",
      REVEILLE_SANDBOX: "maybe",
      REVEILLE_RUNNER_ID: "-x",
    });
    const faults = read.ok ? [] : read.faults;
    expect(faults.map((fault) => fault.split(":")[0])).toEqual([
      "REVEILLE_URL",
      "RUNNER_TOKEN",
      "REVEILLE_STATE",
      "REVEILLE_RUNNER_ID",
      "REVEILLE_CAPACITY",
      "REVEILLE_SANDBOX",
    ]);
  });

  it.each([
    ["REVEILLE_URL", "ftp://x"],
    ["REVEILLE_URL", "http://x/?a=1"],
    ["REVEILLE_CAPACITY", "101"],
    ["REVEILLE_CAPACITY", "2.5"],
    ["REVEILLE_STATE", ""],
  ])("refuses %s=%s", (name, value) => {
    const read = readSettings({ ...good, [name]: value });
    expect(read.ok ? [] : read.faults).toEqual([expect.stringContaining(`${name}: `)]);
  });
});
