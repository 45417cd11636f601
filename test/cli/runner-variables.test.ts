/** From what `reveille runner` was given to what its runner reads. */
import { describe, expect, it } from "vitest";
import { readDuration } from "#cli/runner/duration.ts";
import { runnerVariables, withOption } from "#cli/runner/runner-variables.ts";
import { runnerIdSchema } from "#protocol/runner-link.ts";
import { newRunnerId } from "#sandbox-runner/runner/runner-id.ts";

describe("a runner's variables", () => {
  it("come from options before the environment", () => {
    const environment = { REVEILLE_URL: "http://a", REVEILLE_CAPACITY: "2", HOME: "/home/ann" };
    expect(runnerVariables({ url: "http://b" }, environment, "from a file", 1000)).toMatchObject({
      REVEILLE_URL: "http://b",
      REVEILLE_CAPACITY: "2",
      RUNNER_TOKEN: "from a file",
    });
  });

  it.each([
    ["an option", { state: "/a" }, { REVEILLE_STATE: "/b" }, 1000, "/a"],
    ["its variable", {}, { REVEILLE_STATE: "/b", STATE_DIRECTORY: "/c" }, 1000, "/b"],
    ["systemd", {}, { STATE_DIRECTORY: "/c:/d", XDG_STATE_HOME: "/e" }, 1000, "/c"],
    ["XDG", {}, { XDG_STATE_HOME: "/e", HOME: "/f" }, 1000, "/e/reveille/runner"],
    ["a home", {}, { HOME: "/f", XDG_STATE_HOME: "" }, 1000, "/f/.local/state/reveille/runner"],
    ["root, whose home nobody else may enter", {}, { HOME: "/root" }, 0, "/var/lib/reveille/runner"],
    ["nothing", {}, {}, 1000, undefined],
  ])("have the state folder of %s", (_of, options, environment, uid, state) => {
    expect(runnerVariables(options, environment, null, uid)["REVEILLE_STATE"]).toBe(state);
  });

  it.each([
    [{}, {}, "3600"],
    [{ drainTimeout: "90s" }, {}, "90"],
    [{ drainTimeout: "15m" }, { REVEILLE_DRAIN_SECONDS: "7" }, "900"],
    [{ drainTimeout: "2d" }, {}, "172800"],
    [{ drainTimeout: "0" }, {}, "0"],
    [{}, { REVEILLE_DRAIN_SECONDS: "7" }, "7"],
    // What is no time stays as it is, and is refused with the other values.
    [{ drainTimeout: "soon" }, {}, "soon"],
  ])("let runs go on as %j and %j say", (options, environment, seconds) => {
    expect(runnerVariables(options, environment, null, 1000)["REVEILLE_DRAIN_SECONDS"]).toBe(seconds);
  });

  it("are named with their options where they can't be", () => {
    expect(withOption("REVEILLE_URL: must be an address")).toBe("--url (REVEILLE_URL): must be an address");
    expect(withOption("REVEILLE_SPARES: must be from 0 to 10")).toBe("REVEILLE_SPARES: must be from 0 to 10");
  });
});

it.each(["", "5", "1.5h", "-1s", "1h30m", "s", "1 h", "1H", "9999999s"])("%j is no length of time", (text) => {
  expect(readDuration(text)).toBeNull();
});

it.each([
  ["build-3.example.com", "build-3.example.com-00ff"],
  ["-odd näme", "odd-n-me-00ff"],
  ["", "runner-00ff"],
  ["x".repeat(300), `${"x".repeat(48)}-00ff`],
])("a machine called %s has a runner called %s", (host, id) => {
  expect(newRunnerId(host, "00ff")).toBe(id);
  expect(runnerIdSchema.parse(id)).toBe(id);
});
