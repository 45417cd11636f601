/** With what a run's container is started. */
import { expect, it } from "vitest";
import { runArguments } from "#sandbox-runner/engine/run-arguments.ts";
import { socketFault } from "#sandbox-runner/engine/socket-folders.ts";

const options = {
  name: "executor-1",
  owner: "0123",
  bounds: { processes: 100, memory_mib: 1_000, disk_mib: 1 },
  image: "runner:1",
};

it("is alone, bounded, without a network, and found again by its labels", () => {
  const words = runArguments(options, "/state/sockets/1").join(" ");
  for (const part of [
    "run --rm --name reveille-executor-1",
    "--label reveille.state=0123 --label reveille.executor=executor-1",
    "--pull never",
    "--network none",
    "--memory 1512m --memory-swap 1512m",
    "--pids-limit 164",
    "--security-opt no-new-privileges",
    "--cap-drop ALL",
    // The value comes by the environment: arguments are seen by everybody.
    "--env REVEILLE_BRIEF --volume /state/sockets/1:/run/reveille runner:1",
  ]) {
    expect(words).toContain(part);
  }
});

it("has a socket below the longest path, or is told of the state folder at once", () => {
  expect(socketFault("/var/lib/reveille/runner")).toBeNull();
  expect(socketFault(`/${"x".repeat(100)}`)).toMatch(/^REVEILLE_STATE: .* is \d+ characters too long/);
});
