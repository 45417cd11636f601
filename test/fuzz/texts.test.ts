/** Parsers of texts: none throws what it does not name, whatever it is given, and what it answers is what it promises. */
import { describe, expect } from "vitest";
import { growsNoFaster } from "./support/growth.ts";
import { holds } from "./support/holds.ts";
import { SIGNS, textOf } from "./support/inputs.ts";
import { RUNNER_PARSERS } from "./support/runner-parsers.ts";
import { TEXT_PARSERS, type TextParser } from "./support/text-parsers.ts";

/** As much as a body of JSON may bring is 1 MiB; a tenth of it tells as well. */
const LONG = 100_000;

describe.each(Object.entries({ ...TEXT_PARSERS, ...RUNNER_PARSERS }))("%s", (name, parser) => {
  const { words = [], examples = [] } = parser;
  holds(`${name} are read whatever they are`, textOf(words, examples), (text) => void read(parser, text));

  const longest = parser.longest ?? LONG;
  const units = [...new Set([...SIGNS, ...words, ...examples])].filter((unit) => unit.length < longest / 8);
  growsNoFaster(`${name} take as much longer as they are longer, whatever they repeat`, longest, units, (text) =>
    read(parser, text),
  );
});

function read({ parse, mayThrow, check }: TextParser, text: string): void {
  let answer: unknown;
  try {
    answer = parse(text);
  } catch (error) {
    if (mayThrow !== undefined && error instanceof mayThrow) return;
    throw error;
  }
  if (text.length < 20_000) check?.(answer as never, text);
  expect(answer).not.toBeInstanceOf(Promise);
}
