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

it("does not tell the end of one whose place another takes", async () => {
  const start = (source: string) => startProcess([process.execPath, "-e", source], { cwd: "/", env: {} });
  const [child, other] = [start("process.exit(1)"), start("process.stdin.once('data', () => process.exit(7))")];
  const another = Promise.withResolvers<typeof other>();
  const gated = new GatedProcess(
    { child, stdin: other.stdin, stdout: other.stdout, another: another.promise },
    async () => {},
  );
  const exit = once(gated, "exit");
  gated.stdout.resume();
  await once(child, "close");
  another.resolve(other);
  gated.stdin.write("\n");
  expect(await exit).toEqual([7, null]);
  expect(gated.exitCode).toBe(7);
});
