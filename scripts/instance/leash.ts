/**
 * Loaded into a program before its own code: asks it to end when stdin closes, since then whoever started it is gone, and
 * ends it and its process group by force when it does not.
 */

const GRACE_MS = 8_000;

process.stdin.on("close", () => {
  process.kill(process.pid, "SIGTERM");
  setTimeout(() => process.kill(-process.pid, "SIGKILL"), GRACE_MS).unref();
});
process.stdin.on("error", () => undefined);
// Flowing, because the end of a stream shows only when it is read; not a reason to stay alive.
process.stdin.resume();
if ("unref" in process.stdin && typeof process.stdin.unref === "function") process.stdin.unref();
