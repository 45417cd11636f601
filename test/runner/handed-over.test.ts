/** The pipes of a program that is handed over, where the program ends meanwhile. */
import { finished } from "node:stream/promises";
import { expect, it } from "vitest";
import { answering, answersTo, withoutAnswers } from "#sandbox-runner/prepared/handed-over.ts";

const REQUEST = `${JSON.stringify({ type: "control_request", request_id: "1", request: { subtype: "initialize" } })}\n`;

function pipes() {
  const output = withoutAnswers(
    () => false,
    () => true,
  );
  const faults: unknown[] = [];
  output.on("error", (error) => faults.push(error));
  const { input, add } = answering([answersTo(() => ({ subtype: "success" }))], output);
  input.on("error", (error) => faults.push(error));
  return { input, add, output, faults };
}

it("answers the first request between the program's own lines", async () => {
  const { input, output, faults } = pipes();
  output.write("before\n");
  input.write(REQUEST);
  output.end("after\n");
  const lines = (await output.toArray()).map(String).join("").trim().split("\n");
  expect(lines).toEqual(["before", expect.stringContaining('"request_id":"1"'), "after"]);
  expect(faults).toEqual([]);
});

it("gives out the last words of a program that has ended before it was spoken to", async () => {
  const { input, output, faults } = pipes();
  output.end("its last words\n");
  // It has been taken in, and nobody has read it yet.
  await new Promise<void>((done) => output.once("finish", done));
  input.end(REQUEST);
  expect((await output.toArray()).map(String)).toEqual(["its last words\n"]);
  expect((await input.toArray()).map(String)).toEqual([REQUEST]);
  expect(faults).toEqual([]);
});

it("leaves a first line that is no request to the program", async () => {
  const { input, faults } = pipes();
  input.end("not JSON\n");
  expect((await input.toArray()).map(String)).toEqual(["not JSON\n"]);
  await finished(input);
  expect(faults).toEqual([]);
});

it("puts a line between two of whoever has the program, and none after the end of its input", async () => {
  const { input, add, faults } = pipes();
  input.write("one\nhal");
  await new Promise((go) => setImmediate(go));
  add("added\n");
  input.end("f\n");
  add("late\n");
  expect((await input.toArray()).map(String).join("")).toBe("one\nhalf\nadded\n");
  expect(faults).toEqual([]);
});

it("keeps a line from the program that it need not hear, however it comes", async () => {
  const output = withoutAnswers(
    () => false,
    () => true,
  );
  const { input } = answering([() => null, (line) => (line === "told\n" ? "" : null)], output);
  for (const piece of ["first\nto", "ld", "\nmo", "re\n"]) input.write(piece);
  input.end();
  output.end();
  expect((await input.toArray()).map(String).join("")).toBe("first\nmore\n");
  expect(await output.toArray()).toEqual([]);
});
