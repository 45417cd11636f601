/** What an instance leaves at a container engine is removed: its own, what has ended alone, and in the order that engines want. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { containerKey } from "#scripts/containers/container-key.ts";
import { engineAddress, faultOfEngine, hasImage } from "#scripts/containers/engine.ts";
import { LeftContainers, leftOf } from "#scripts/containers/left-containers.ts";
import { FakeEngine } from "./support/fake-engine.ts";

const KEY = containerKey("/somewhere/storage");
const named = (rest: string, key = KEY) => `workerd-5e55-${key}-${rest}`;

describe("what is left", () => {
  it.each([
    ["a container at work, and its side-car", { one: "running", "one-proxy": "running" }, []],
    ["one that has ended", { one: "exited", "one-proxy": "running" }, ["one", "one-proxy"]],
    ["a side-car alone", { "one-proxy": "running" }, ["one-proxy"]],
    ["a side-car whose container is being started", { one: "created", "one-proxy": "running" }, ["one", "one-proxy"]],
    ["one beside another", { one: "running", "one-proxy": "running", "two-proxy": "running" }, ["two-proxy"]],
    ["one without a side-car", { one: "dead", two: "running" }, ["one"]],
    ["nothing", {}, []],
  ])("%s", (_what, states, expected) => {
    const listed = Object.entries(states).map(([name, state]) => ({ id: name, name, state }));
    expect(leftOf(listed).map(({ name }) => name)).toEqual(expected);
  });
});

describe("an instance's containers", () => {
  let folder: string;
  let engine: FakeEngine;
  let left: LeftContainers;
  let address: string;
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), "rvl-engine-"));
    address = `unix://${path.join(folder, "engine.sock")}`;
    engine = new FakeEngine(path.join(folder, "engine.sock"));
    left = new LeftContainers(address, KEY, 10_000);
  });
  afterEach(() => {
    engine.close();
    rmSync(folder, { recursive: true });
  });

  const fill = (states: Record<string, string>) => {
    for (const [rest, state] of Object.entries(states)) engine.containers.set(named(rest), state);
  };

  it("are all removed, side-cars after their containers, and nobody else's", async () => {
    fill({ "a-proxy": "running", a: "running", "b-proxy": "running", b: "exited", c: "created" });
    const others = [named("a", containerKey("/elsewhere")), named("a-proxy", `${KEY}2`), "keeper", `${KEY}-by-name`];
    for (const name of others) engine.containers.set(name, "running");
    expect(await left.removeAll()).toBe(5);
    expect([...engine.containers.keys()]).toEqual(others);
    expect(await left.removeAll()).toBe(0);
  });

  it("are left alone while they are being started, and removed when they look the same a minute later", async () => {
    fill({ "a-proxy": "running", "b-proxy": "running", "c-proxy": "running", c: "running" });
    expect(await left.removeLeft()).toBe(0);
    fill({ a: "running" });
    expect(await left.removeLeft()).toBe(1);
    expect([...engine.containers.keys()]).toEqual(["a-proxy", "c-proxy", "c", "a"].map((rest) => named(rest)));
    engine.containers.delete(named("c"));
    expect(await left.removeLeft()).toBe(0);
    expect(await left.removeLeft()).toBe(1);
    expect(engine.containers.has(named("c-proxy"))).toBe(false);
  });

  it("are killed before they are removed: an engine waits for one that hears nothing", async () => {
    fill({ a: "running" });
    await left.removeAll();
    expect(engine.asked).toEqual([`POST ${named("a")} kill`, `DELETE ${named("a")}`]);
  });

  it("hold nobody up at an engine that does not answer, or that is gone", async () => {
    fill({ a: "running" });
    engine.hangs = true;
    await expect(new LeftContainers(address, KEY, 20).removeAll()).rejects.toThrow("has not answered in 0.02 s");
    expect(await faultOfEngine(address, 20)).toBe("it has not answered in 0.02 s");
    engine.close();
    await expect(left.removeLeft()).rejects.toThrow();
    expect(await faultOfEngine(address, 10_000)).toMatch(/ENOENT|ECONN/);
  });

  it("say of an image whether it is there, and of an engine that is well nothing", async () => {
    expect([await hasImage(address, "there", 10_000), await hasImage(address, "missing", 10_000)]).toEqual([
      true,
      false,
    ]);
    await expect(hasImage(address, "broken", 10_000)).rejects.toThrow("it answered 500");
    expect(await faultOfEngine(address, 10_000)).toBe(null);
  });
});

describe("an engine's address", () => {
  it.each([
    [undefined, "unix:///var/run/docker.sock"],
    ["unix:///run/user/1000/podman/podman.sock", "unix:///run/user/1000/podman/podman.sock"],
  ])("%s", (given, value) => {
    expect(engineAddress(given)).toEqual({ ok: true, value });
  });

  it.each([
    "tcp://127.0.0.1:2375",
    "ssh://me@there",
    "/var/run/docker.sock",
    "unix://",
    "npipe:////./pipe/docker_engine",
  ])("%s is refused with what to do", (given) => {
    expect(engineAddress(given)).toMatchObject({
      ok: false,
      message: expect.stringMatching(/^DOCKER_HOST is ".+": .+ Set it to .+\.$/),
    });
  });
});
