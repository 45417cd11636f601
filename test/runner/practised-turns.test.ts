/** A program waits for a run only when it has practised its turns, and nothing of them is left. */
import { createInterface } from "node:readline";
import { expect, it, onTestFinished, vi } from "vitest";
import { userMessage } from "#sandbox-runner/agent/opening.ts";
import { PreparedProgram } from "#sandbox-runner/prepared/prepared-program.ts";
import { startProcess } from "#sandbox-runner/process/spawn.ts";
import { practised } from "./support/practised.ts";

/** @param practice a statement for its turns. */
function program(practice: string): PreparedProgram {
  const source = `require("node:readline").createInterface({ input: process.stdin }).on("line", (line) => {
  const message = JSON.parse(line);
  const say = (said) => console.log(JSON.stringify(said));
  ${practice}
  if (message.type === "user") say({ type: "told" });
  else say({ type: "control_response", response: { subtype: "success", request_id: message.request_id } });
});`;
  const child = startProcess([process.execPath, "-e", source], { cwd: "/", env: {} });
  const made = new PreparedProgram(child, { subtype: "initialize" }, {});
  onTestFinished(() => made.end());
  return made;
}

it("waits when it has taken back all that it has done", async () => {
  const made = program(practised());
  expect(await made.ready).toBe(true);
  expect(made.isReady).toBe(true);
});

const NOT_TAKEN_BACK = "a turn for practice was not taken back";

it.each<[string, string, string | null]>([
  ["has failed", practised({ isError: true }), "a turn for practice failed"],
  ["could not be taken back", practised({ undone: { rewound: false, error: "It can't be." } }), NOT_TAKEN_BACK],
  ["was taken back by a version that does not know how", practised({ undone: {} }), NOT_TAKEN_BACK],
  ["was the end of it", "if (message.uuid !== undefined) process.exit(1);", null],
  [
    "was refused",
    "if (message.request?.subtype === 'rewind_conversation') return say({ type: 'control_response', response: { subtype: 'error', request_id: message.request_id } }); if (message.uuid !== undefined) return [{ type: 'result', is_error: false }, { type: 'system', subtype: 'session_state_changed', state: 'idle' }].forEach(say);",
    NOT_TAKEN_BACK,
  ],
])("never waits where a turn %s, and says why", async (_what, practice, why) => {
  const made = program(practice);
  expect(await made.ready).toBe(false);
  expect(made.isReady).toBe(false);
  expect(made.fault).toBe(why);
});

it("hands on nothing that it has said of them, and is its run's with the first line, whatever that is", async () => {
  const made = program(practised());
  await made.ready;
  const [onRight, onOther] = [vi.fn(), vi.fn()];
  const { stdin, stdout } = made.handOver(onRight, onOther);
  stdin.write(`${JSON.stringify({ type: "user" })}\n`);
  const { value } = await createInterface({ input: stdout })[Symbol.asyncIterator]().next();
  expect(JSON.parse(value ?? "")).toEqual({ type: "told" });
  expect([onRight.mock.calls.length, onOther.mock.calls.length]).toEqual([1, 1]);
});

it("is ended where it gives no answer to its run's variables", async () => {
  const silent = `globalThis.told ??= 0;
  if (message.request?.subtype === "apply_flag_settings" && (globalThis.told += 1) > 1) return;`;
  const made = program(silent + practised());
  expect(await made.ready).toBe(true);
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  onTestFinished(() => void vi.useRealTimers());
  const told = made.tellVariables({ RUN: "one" });
  await vi.advanceTimersByTimeAsync(29_000);
  expect(made.isOver).toBe(false);
  await vi.advanceTimersByTimeAsync(1_000);
  await told;
  await made.ended;
  expect(made.isOver).toBe(true);
});

it("practises no more when a run waits for it", async () => {
  const told = `(globalThis.told ??= []).push(message.request?.subtype ?? message.type);
  if (message.type === "user" && message.uuid === undefined) return say({ type: "told", told });`;
  const made = program(told + practised());
  made.hurry();
  expect(await made.ready).toBe(true);
  made.tellTask(userMessage("Look."));
  const { stdout } = made.handOver(
    () => {},
    () => {},
  );
  const { value } = await createInterface({ input: stdout })[Symbol.asyncIterator]().next();
  expect(JSON.parse(value ?? "").told).toEqual(["initialize", "apply_flag_settings", "initialize", "user"]);
});
