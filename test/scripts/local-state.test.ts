/** What a local instance reads before it starts anything: settings, state folder, secrets, lock. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { z } from "zod";
import { PUBLIC_SIDECAR } from "#scripts/containers/engine.ts";
import { createMessagesServer } from "#scripts/demo-model/messages-api.ts";
import { lockStateFolder } from "#scripts/instance/lock.ts";
import { checkPort, drawFreePort } from "#scripts/instance/ports.ts";
import { openSecrets } from "#scripts/instance/secrets.ts";
import { readSettings } from "#scripts/instance/settings.ts";
import { prepareStateFolder, readStateFile, writeStateFile } from "#scripts/instance/state-folder.ts";

/** Where the runner is root, the group of runs may go through. */
const CLOSED = process.geteuid?.() === 0 ? 0o710 : 0o700;

let root: string;
beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), "rvl-state-"));
});
afterEach(() => rmSync(root, { recursive: true }));

describe("settings", () => {
  test("by default: port 8787, .reveille, the offline demo model", () => {
    expect(readSettings({}, root)).toEqual({
      ok: true,
      value: {
        port: 8787,
        stateFolder: path.join(root, ".reveille"),
        workerVariables: {},
        runnerVariables: {},
        hasModelKey: false,
        containers: null,
      },
    });
  });

  test("containers are on when their number is set, with this machine's engine", () => {
    expect(readSettings({ REVEILLE_CONTAINERS: "0", DOCKER_HOST: "ssh://there" }, root)).toMatchObject({
      value: { containers: null },
    });
    expect(readSettings({ REVEILLE_CONTAINERS: "3" }, root)).toMatchObject({
      value: {
        containers: {
          count: 3,
          engine: "unix:///var/run/docker.sock",
          sidecar: PUBLIC_SIDECAR,
          image: { variant: "default", base: null },
        },
      },
    });
    const given = {
      DOCKER_HOST: "unix:///here.sock",
      MINIFLARE_CONTAINER_EGRESS_IMAGE: "side:1",
      REVEILLE_IMAGE: "mine",
    };
    expect(readSettings({ ...given, REVEILLE_CONTAINERS: "1" }, root)).toMatchObject({
      value: { containers: { count: 1, engine: "unix:///here.sock", sidecar: "side:1", image: "mine" } },
    });
    // Miniflare does not tell which it is.
    const miniflare = createRequire(import.meta.url).resolve("miniflare");
    expect(readFileSync(miniflare, "utf8")).toContain(`"${PUBLIC_SIDECAR}"`);
  });

  test.each([
    [{ REVEILLE_CONTAINERS: "yes" }, /^REVEILLE_CONTAINERS is "yes": it must be how many/],
    [{ REVEILLE_CONTAINERS: "-1" }, /^REVEILLE_CONTAINERS is "-1": /],
    [{ REVEILLE_CONTAINERS: "1.5" }, /^REVEILLE_CONTAINERS is "1.5": /],
    [{ REVEILLE_CONTAINERS: "1", REVEILLE_IMAGE_VARIANT: "tiny" }, /^REVEILLE_IMAGE_VARIANT is "tiny"/],
    [{ REVEILLE_CONTAINERS: "1", DOCKER_HOST: "tcp://127.0.0.1:2375" }, /^DOCKER_HOST is "tcp:/],
  ])("%o is refused in one line", (given, line) => {
    expect(readSettings(given, root)).toEqual({ ok: false, message: expect.stringMatching(line) });
  });

  test("the environment wins over .dev.vars, and what is empty counts as not set", () => {
    writeFileSync(
      path.join(root, ".dev.vars"),
      'OWNER_TOKEN="from the file"\nANTHROPIC_API_KEY=key-of-the-file\nPORT=9000\n',
    );
    const read = readSettings({ OWNER_TOKEN: "from the environment", ANTHROPIC_API_KEY: "", HOME: "/root" }, root);
    expect(read).toMatchObject({
      value: {
        port: 9000,
        hasModelKey: true,
        workerVariables: { OWNER_TOKEN: "from the environment", ANTHROPIC_API_KEY: "key-of-the-file" },
      },
    });
  });

  test("every variable of .dev.vars.example reaches the worker", () => {
    const example = readFileSync(path.join(import.meta.dirname, "../../.dev.vars.example"), "utf8");
    const names = [...example.matchAll(/^(?:# )?([A-Z_]+)=/gm)].map(([, name = ""]) => name);
    const given = Object.fromEntries(names.map((name) => [name, `value of ${name}`]));
    expect(readSettings(given, root)).toMatchObject({ ok: true, value: { workerVariables: given } });
    expect(names).toContain("GITHUB_WEBHOOK_SECRET");
  });

  test.each(["abc", "0", "65536", "1.5"])("PORT=%s is refused in one line", (PORT) => {
    const read = readSettings({ PORT }, root);
    expect(read).toEqual({ ok: false, message: `PORT is "${PORT}": it must be a number from 1 to 65535.` });
  });

  test(".dev.vars that can't be read is named", () => {
    mkdirSync(path.join(root, ".dev.vars"));
    const read = readSettings({}, root);
    expect(read.ok ? "" : read.message).toMatch(/\.dev\.vars can't be read .+ repair or remove it\.$/);
  });
});

describe("the state folder", () => {
  const schema = z.object({ port: z.number() });

  test("is made for its owner alone, and closed when it was open", async () => {
    const folder = path.join(root, "a", "b");
    expect(await prepareStateFolder(folder)).toMatchObject({ ok: true });
    expect(statSync(folder).mode & 0o777).toBe(CLOSED);
    mkdirSync(path.join(root, "open"), { mode: 0o755 });
    expect(await prepareStateFolder(path.join(root, "open"))).toMatchObject({ ok: true });
    expect(statSync(path.join(root, "open")).mode & 0o777).toBe(CLOSED);
  });

  test("a file in its place is told in one line", async () => {
    writeFileSync(path.join(root, "file"), "");
    for (const folder of [path.join(root, "file"), path.join(root, "file", "below")]) {
      const prepared = await prepareStateFolder(folder);
      expect(prepared.ok ? "" : prepared.message).toMatch(/can't be used \(it is not a folder\): move it away/);
    }
  });

  test("its files are private and whole, and a damaged one is told in one line", async () => {
    const file = path.join(root, "x.json");
    expect(await readStateFile(file, schema)).toEqual({ ok: true, value: null });
    writeFileSync(file, "before", { mode: 0o644 });
    await writeStateFile(file, { port: 1 });
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(await readStateFile(file, schema)).toEqual({ ok: true, value: { port: 1 } });
    for (const text of ["{", '{"port":"one"}', ""]) {
      writeFileSync(file, text);
      const read = await readStateFile(file, schema);
      expect(read.ok ? "" : read.message).toMatch(/x\.json is damaged: restore it, or remove .+$/);
    }
  });

  test("secrets are drawn once", async () => {
    const first = await openSecrets(root);
    expect(first).toMatchObject({ ok: true });
    expect(await openSecrets(root)).toEqual(first);
    const other = mkdtempSync(path.join(root, "other-"));
    const second = await openSecrets(other);
    const all = [first, second].flatMap((opened) => (opened.ok ? Object.values(opened.value) : []));
    expect(new Set(all).size).toBe(10);
    expect(statSync(path.join(root, "secrets.json")).mode & 0o777).toBe(0o600);
  });
});

test("what an earlier version did not draw is added to the secrets, and the rest stays", async () => {
  const first = await openSecrets(root);
  const file = path.join(root, "secrets.json");
  const { GITHUB_WEBHOOK_SECRET: _added, ...earlier } = JSON.parse(readFileSync(file, "utf8"));
  writeFileSync(file, JSON.stringify(earlier));
  const second = await openSecrets(root);
  expect(second).toMatchObject({ ok: true, value: earlier });
  expect(second).not.toEqual(first);
  expect(await openSecrets(root)).toEqual(second);
});

describe("the lock", () => {
  test("one holder at a time, of any number who ask at once", async () => {
    const asked = await Promise.all(Array.from({ length: 5 }, () => lockStateFolder(root)));
    const [holder, ...more] = asked.filter(({ ok }) => ok);
    expect(more).toEqual([]);
    const refused = await lockStateFolder(root);
    expect(refused.ok ? "" : refused.message).toContain(`already (process ${process.pid})`);
    if (holder?.ok) holder.value();
    expect(await lockStateFolder(root)).toMatchObject({ ok: true });
  });

  test.each([
    ["a process that is gone", { pid: 4_194_303, started: null }],
    ["a number that another process has now", { pid: process.pid, started: "another boot:1" }],
    ["nobody", "not a holder"],
  ])("a lock of %s is taken over", async (_what, holder) => {
    writeFileSync(path.join(root, "lock"), JSON.stringify(holder));
    expect(await lockStateFolder(root)).toMatchObject({ ok: true });
    expect(JSON.parse(readFileSync(path.join(root, "lock"), "utf8"))).toMatchObject({ pid: process.pid });
  });
});

test("a port that is in use is told with another to choose", async () => {
  const server = await createMessagesServer({ reply: () => ({ kind: "message", text: "" }) });
  const port = Number(new URL(server.url).port);
  const taken = await checkPort(port);
  await server.close();
  expect(taken).toEqual({
    ok: false,
    message: `Port ${port} is in use: stop the program that uses it, or choose another port, for example PORT=${port + 1} npm start.`,
  });
  expect(await checkPort(await drawFreePort())).toEqual({ ok: true, value: null });
});
