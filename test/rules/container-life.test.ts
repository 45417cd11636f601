import { describe, expect, it } from "vitest";
import type { ContainerSize } from "#protocol/container-size.ts";
import { NO_USAGE } from "#protocol/run.ts";
import { countContainer } from "#rules/run/usage.ts";
import {
  CLOSE_LOOK_MS,
  type ContainerLife,
  type ContainerObservation,
  nextLife,
  nextLook,
} from "#rules/sandbox/container-life.ts";
import { containerCost } from "#rules/sandbox/container-sizes.ts";
import { endOfStart } from "#rules/sandbox/start-failure.ts";

const NOW = 1_000_000;
const TEND = 60_000;

const starting: ContainerLife = { state: "starting", byMs: NOW + 30_000 };
const late: ContainerLife = { state: "starting", byMs: NOW };
const running: ContainerLife = { state: "running", isStopping: false, closelyUntilMs: 0 };
const stopping: ContainerLife = { ...running, isStopping: true };
const watched: ContainerLife = { ...running, closelyUntilMs: NOW + 1 };
const ending: ContainerLife = { state: "ending", end: "runner_lost", hasRun: true, tries: 2 };

const looked = (isRunning: boolean, isStartKnown: boolean): ContainerObservation => ({
  type: "looked",
  isRunning,
  isStartKnown,
});
const failed = (reason: string): ContainerObservation => ({ type: "start_failed", reason });
const ends = (end: string) => ({ state: "ending", end, hasRun: true, tries: 0 });
const neverRan = (end: string) => ({ ...ends(end), hasRun: false });

describe("a container", () => {
  it.each<[string, ContainerLife, ContainerObservation, object | null]>([
    ["runs once it has started", starting, { type: "started" }, running],
    ["is ended when it does not start", starting, failed("Error: no"), neverRan("container_start_failed")],
    ["is waited for where there is no room", starting, failed("no container instance"), neverRan("declined")],
    ["may take its time to start", starting, looked(false, true), null],
    ["that counts as running may still fail to start", starting, looked(true, true), null],
    ["has so much time to start", late, looked(true, true), neverRan("container_start_failed")],
    ["whose start nobody waits for any more is taken on if it runs", starting, looked(true, false), running],
    [
      "whose start nobody waits for any more is lost if it does not",
      starting,
      looked(false, false),
      ends("runner_lost"),
    ],
    ["that has not started yet is stopped by force", starting, { type: "stop" }, ends("work_ended")],
    ["that has not started yet is killed", starting, { type: "kill" }, ends("work_ended")],
    ["that has not started yet is given up with its lease", starting, { type: "disowned" }, ends("work_ended")],
    ["that has not started yet has no link", starting, { type: "link_closed" }, null],
    ["that has not started yet does not exit", starting, { type: "exited" }, null],
    ["goes on while it runs", running, looked(true, false), null],
    ["that has vanished is lost", running, looked(false, false), ends("runner_lost")],
    ["that has vanished while watched is lost", watched, looked(false, false), ends("runner_lost")],
    ["that was stopped is over when it has vanished", stopping, looked(false, false), ends("work_ended")],
    ["that has exited well is over", running, { type: "exited" }, ends("work_ended")],
    ["that says nothing has not really started", running, { type: "speechless" }, ends("container_start_failed")],
    ["that says nothing and was stopped is over", stopping, { type: "speechless" }, ends("work_ended")],
    ["is asked to stop", running, { type: "stop" }, stopping],
    ["is asked to stop once", stopping, { type: "stop" }, null],
    ["is killed", stopping, { type: "kill" }, ends("work_ended")],
    ["ends with its lease", running, { type: "disowned" }, ends("work_ended")],
    [
      "is watched when its link closes",
      running,
      { type: "link_closed" },
      { ...running, closelyUntilMs: NOW + CLOSE_LOOK_MS },
    ],
    [
      "is stopped though its link closes",
      stopping,
      { type: "link_closed" },
      { ...stopping, closelyUntilMs: NOW + CLOSE_LOOK_MS },
    ],
    ["does not start twice", running, { type: "started" }, null],
    ["that runs has not failed to start", running, failed("Error: no"), null],
    ["that is ending starts no more", ending, { type: "started" }, null],
    ["that is ending is killed already", ending, { type: "kill" }, null],
    ["that is ending keeps its end", ending, { type: "exited" }, null],
    ["that is ending is not found again", ending, looked(true, false), null],
    ["whose end did not go through is ended again", ending, { type: "not_settled" }, { ...ending, tries: 3 }],
  ])("%s", (_what, life, observation, expected) => {
    expect(nextLife(life, observation, NOW)).toEqual(expected);
  });

  it.each<[string, ContainerLife, number]>([
    ["that starts: soon", starting, NOW + 5_000],
    ["that starts: at the latest when it has to have started", { state: "starting", byMs: NOW + 10 }, NOW + 10],
    ["that works: as often as it is tended", running, NOW + TEND],
    ["that stops: at once", stopping, NOW + 500],
    ["whose link has closed: often", watched, NOW + 2_000],
    ["whose link has closed long ago: as before", { ...running, closelyUntilMs: NOW }, NOW + TEND],
    ["that ends: each time later", ending, NOW + 4_000],
    ["that ends: every minute at least", { ...ending, tries: 40 }, NOW + 60_000],
  ])("is looked at again, one %s", (_what, life, at) => {
    expect(nextLook(life, TEND, NOW)).toBe(at);
  });
});

describe("a start that fails", () => {
  it.each([
    ["Error: There is no Container instance that can be provided to this Durable Object, try again later", "declined"],
    ["Error: Maximum number of running container instances exceeded. Try again later", "declined"],
    ["Error: too many container starts per second", "declined"],
    ["Error: Failed to start container: rate limit exceeded", "declined"],
    ["Error: No such image: reveille:1", "container_image_missing"],
    ["Error: image registry.example/runner@sha256:0 not found", "container_image_missing"],
    ["Error: manifest unknown", "container_image_missing"],
    ["Error: Container failed to start", "container_start_failed"],
    ["Error: the container ended as soon as it had been started", "container_start_failed"],
    ["NoAnswer: the container did not answer within 60000 ms", "container_start_failed"],
    ["", "container_start_failed"],
  ])("with the words %j", (reason, end) => {
    expect(endOfStart(reason)).toBe(end);
  });
});

describe("what a container costs", () => {
  it.each<[ContainerSize, number, number]>([
    ["standard-2", 600, 0.021504],
    ["standard-2", 0, 0],
    ["lite", 3_600, 0.007254],
    ["standard-4", 60, 0.006684],
  ])("of size %s for %d s is %d dollars at most", (size, seconds, usd) => {
    expect(containerCost(size, seconds)).toBe(usd);
  });

  it("is counted once for each attempt, in their order", () => {
    const use = (attempt: number) => ({ attempt, size: "lite", seconds: 1, cost_usd: 0 });
    const once = countContainer(NO_USAGE, use(2));
    const twice = countContainer(once ?? NO_USAGE, use(1));
    expect(twice?.containers).toEqual([use(1), use(2)]);
    expect(countContainer(twice ?? NO_USAGE, use(2))).toBeNull();
  });
});
