/** An agent whose output is not taken comes to wait, and nothing of it is lost. */
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { expect, it } from "vitest";
import { GatedProcess } from "#sandbox-runner/agent/gated-process.ts";
import { startProcess } from "#sandbox-runner/process/spawn.ts";

it("holds a process back until there is room", async () => {
  const room = Promise.withResolvers<void>();
  let asked = 0;
  const script =
    "let n = 0; const next = () => { while (n < 400) if (!process.stdout.write('x'.repeat(9999) + n++ % 10)) return process.stdout.once('drain', next); }; next();";
  const child = startProcess([process.execPath, "-e", script], { cwd: "/", env: {} });
  const gated = new GatedProcess({ child, stdin: child.stdin, stdout: child.stdout }, () => {
    asked += 1;
    return room.promise;
  });
  const exit = once(gated, "exit");
  const output = text(gated.stdout);
  await once(child.stdout, "pause");
  expect(asked).toBe(1);
  expect(gated.exitCode).toBeNull();
  room.resolve();
  expect((await output).length).toBe(4_000_000);
  expect(await exit).toEqual([0, null]);
});
