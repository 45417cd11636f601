/** The input and the output of a program that was spoken to before it was handed over: whoever has it now sees nothing of that. */
import { Transform, type TransformCallback } from "node:stream";

const END_OF_LINE = 0x0a;

/** What a program reads, and how a line is put between two of whoever has it now. */
export interface Answering {
  input: Transform;
  add(line: string): void;
}

/**
 * The program's input, of which the first lines alone are looked at.
 * @param looks one for each of them: what is said in the program's place, be it nothing; null where the line goes on to the program.
 * @param output of `withoutAnswers`, which gives out what is said.
 */
export function answering(looks: readonly ((line: string) => string | null)[], output: Transform): Answering {
  const waiting = [...looks];
  let held = Buffer.alloc(0);
  let isWithinLine = false;
  const added: string[] = [];
  const addAll = () => {
    for (const line of isWithinLine ? [] : added.splice(0)) input.push(line);
  };
  const handOn = (piece: Buffer) => {
    input.push(piece);
    if (piece.length > 0) isWithinLine = piece.at(-1) !== END_OF_LINE;
    addAll();
  };
  const lookAt = (piece: Buffer) => {
    held = Buffer.concat([held, piece]);
    for (let look = waiting[0]; look !== undefined; look = waiting[0]) {
      const end = held.indexOf(END_OF_LINE);
      if (end < 0) return;
      waiting.shift();
      const line = held.subarray(0, end + 1);
      held = held.subarray(end + 1);
      const said = look(line.toString("utf8"));
      // After the program's own end nothing can be said in its place, and its last words would be lost with the try.
      if (said === null || output.writableEnded) handOn(line);
      // Between two lines of the program's, since only whole ones are handed on.
      else if (said !== "") output.push(said);
    }
    handOn(held);
    held = Buffer.alloc(0);
  };
  const input = new Transform({
    transform(piece: Buffer, _encoding, pass: TransformCallback) {
      if (waiting.length > 0) lookAt(piece);
      else handOn(piece);
      pass();
    },
    flush(pass: TransformCallback) {
      pass(null, held);
    },
  });
  return {
    input,
    add: (line) => {
      // Whoever has ended its input ends the program with it.
      if (input.writableEnded || input.destroyed) return;
      added.push(line);
      addAll();
    },
  };
}

/**
 * Answers a request in the program's place.
 * @param answerTo is given undefined for a line that is none, which goes on to the program; undefined where the program is to answer.
 */
export function answersTo(answerTo: (request: unknown) => object | undefined): (line: string) => string | null {
  return (line) => answerIn(line, answerTo);
}

/**
 * The program's output.
 * @param take takes a line that is not for whoever has the program now; false for every other.
 * @param isDone whether no such line comes any more.
 */
export function withoutAnswers(take: (line: string) => boolean, isDone: () => boolean): Transform {
  let text = Buffer.alloc(0);
  return new Transform({
    transform(piece: Buffer, _encoding, pass: TransformCallback) {
      if (text.length === 0 && isDone()) return pass(null, piece);
      text = Buffer.concat([text, piece]);
      for (let end = text.indexOf(END_OF_LINE); end >= 0; end = text.indexOf(END_OF_LINE)) {
        const line = text.subarray(0, end + 1);
        text = text.subarray(end + 1);
        if (!take(line.toString("utf8"))) this.push(line);
      }
      pass();
    },
    flush(pass: TransformCallback) {
      pass(null, text);
    },
  });
}

/** @returns the line that answers a request; null where there is none. */
function answerIn(line: string, answerTo: (request: unknown) => object | undefined): string | null {
  const asked = requestIn(line);
  const response = answerTo(asked?.request);
  if (asked === null || response === undefined) return null;
  return `${JSON.stringify({ type: "control_response", response: { ...response, request_id: asked.id } })}\n`;
}

function requestIn(line: string): { id: unknown; request: unknown } | null {
  try {
    const { type, request_id: id, request } = JSON.parse(line);
    return type === "control_request" ? { id, request } : null;
  } catch {
    return null;
  }
}
