/**
 * A program that was started ahead, in the hands of its run. One that has begun with its task is the run's only if that turns out to ask
 * it for the same and to tell it the same task; until then nothing of it is heard. Else another takes its place, and is told all of it.
 */
import type { Transform } from "node:stream";
import { isDeepStrictEqual } from "node:util";
import { parseJson } from "#rules/json.ts";
import type { Program } from "../agent/gated-process.ts";
import type { PipedProcess } from "../process/spawn.ts";
import { answering, answersTo, requestIn, withoutAnswers } from "./handed-over.ts";

/** What follows when it turns out whether it is the right one. */
export interface Choice {
  /** It is at the run's own task, or about to be told that. */
  onRight(): void;
  /** It was asked for something else than its run asks it for. It has no task yet, is asked for that as well, and so is the right one. */
  onAskedOther(): void;
  /**
   * It has begun with its task, and was told otherwise than its run tells it. Never rejects.
   * @returns what is started in its place, once nothing is left of it; null where none is.
   */
  another(): Promise<PipedProcess | null>;
}

export interface HandedOver extends Choice {
  child: PipedProcess;
  /** What it has been told as its task; null for nothing. */
  task: object | null;
  /** What a request is answered with that it has answered already; undefined for every other. */
  answerTo(request: unknown): object | undefined;
  /** Takes a line that is not for its run; false for every other. */
  take(line: string): boolean;
  /** Whether no such line comes any more. */
  isDone(): boolean;
  /** Has the answer to this request taken. */
  drop(id: string): void;
}

/** @returns the program as its run has it, how a line is put between two of its run's, and what its run reads of it. */
export function handOver(given: HandedOver): { program: Program; say(line: string): void; output: Transform } {
  const { child, task } = given;
  const output = withoutAnswers(given.take, given.isDone);
  const replaced = Promise.withResolvers<PipedProcess>();
  const connect = (one: PipedProcess) => {
    one.stdout.pipe(output);
    input.pipe(one.stdin);
  };
  /** @param before what the run has said already. */
  const replace = async (before: string) => {
    // Read, that its end is seen.
    child.stdout.resume();
    const other = await given.another();
    if (other === null) {
      input.resume();
      output.end();
      return;
    }
    replaced.resolve(other);
    if (before !== "") other.stdin.write(before);
    connect(other);
  };
  const looks = task === null ? [atRequest(given)] : atTask(given, task, () => connect(child), replace);
  const { input, add } = answering(looks, output);
  if (task === null) connect(child);
  return { program: { child, stdin: input, stdout: output, another: replaced.promise }, say: add, output };
}

/** At the first request of a run whose task it has not been told. */
function atRequest({ answerTo, onRight, onAskedOther }: HandedOver) {
  return answersTo((request) => {
    const answer = answerTo(request);
    if (answer === undefined) onAskedOther();
    onRight();
    return answer;
  });
}

/** At the first request of a run, and at the task that it has been told. */
function atTask(
  { answerTo, onRight, drop }: HandedOver,
  task: object,
  keep: () => void,
  replace: (before: string) => Promise<void>,
): ((line: string) => string | null)[] {
  // As it is read on the way.
  const toldTask = parseJson(JSON.stringify(task));
  /** The run's first request, where it was answered in the program's place; null where another is to be told all. */
  let answered: string | null = null;
  const isAsked = answersTo(answerTo);
  return [
    (line) => {
      const answer = isAsked(line);
      if (answer === null) void replace("");
      else answered = line;
      return answer;
    },
    (line) => {
      if (answered === null) return null;
      if (isDeepStrictEqual(parseJson(line), toldTask)) {
        onRight();
        keep();
        return "";
      }
      const id = requestIn(answered)?.id;
      if (typeof id === "string") drop(id);
      void replace(answered);
      return null;
    },
  ];
}
