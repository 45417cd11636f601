/** Regular expressions of filters: in RE2's syntax, on whole values, in linear time and within bounds. Pure. */
import { RE2JS, RE2JSSyntaxException } from "re2js";
import { characterCount } from "#protocol/characters.ts";
import { FilterBudget } from "./filter-budget.ts";
import { regexSize } from "./regex-size.ts";

/**
 * What an expression may cost. A step is one instruction that is tried on one character, which takes some 25 ns.
 * - `size`: instructions of an expression.
 * - `text`: characters of a value; the body of a pull request or an issue has at most as many.
 * - `steps`: of one filter, over all items of a list.
 */
export const REGEX_LIMITS = { size: 2_000, text: 65_536, steps: 4_000_000 } as const;

/** What beginning with a value costs, in steps, so that a list of a million short texts is bounded too. */
const STEPS_PER_TEXT = 100;
/** What it costs to compile an instruction, in steps; it counts also where the expression is kept, so that one event is judged alike each time. */
const STEPS_TO_COMPILE = 50;
/** How many instructions all the expressions that are kept compiled may have together. */
const KEPT_SIZE = 2_000;

/**
 * `too_long`: no text matched, and at least one has not been tried. `spent`: nothing has been tried, for want of steps.
 * `refused`: as `regexFault` tells.
 */
export type WholeMatch =
  | { result: "matched"; index: number }
  | { result: "unmatched" | "too_long" | "spent" }
  | { result: "refused"; message: string };

type Compiled = { ok: true; expression: RE2JS } | { ok: false; message: string };

const kept = new Map<string, { expression: RE2JS; size: number }>();
let keptSize = 0;

/** @returns why the expression is refused and what to do, as the end of a sentence about it; null when it is good. */
export function regexFault(pattern: string): string | null {
  const compiled = compile(pattern);
  return compiled.ok ? null : compiled.message;
}

/**
 * The first text that matches from its beginning to its end. A text is never tried in part: its beginning says nothing
 * of the whole.
 * @param budget of the event; what is tried takes from it.
 */
export function findWholeMatch(pattern: string, texts: readonly string[], budget = new FilterBudget()): WholeMatch {
  const toCompile = Math.min(regexSize(pattern), REGEX_LIMITS.size) * STEPS_TO_COMPILE;
  if (toCompile >= budget.left) return { result: "spent" };
  budget.take(toCompile);
  const compiled = compile(pattern);
  if (!compiled.ok) return { result: "refused", message: compiled.message };
  const size = compiled.expression.programSize();
  let stepsLeft: number = REGEX_LIMITS.steps;
  let isAnyLeftOut = false;
  for (const [index, text] of texts.entries()) {
    const length = characterCount(text);
    const steps = STEPS_PER_TEXT + size * (length + 1);
    if (length > REGEX_LIMITS.text || steps > stepsLeft) {
      isAnyLeftOut = true;
      continue;
    }
    if (steps > budget.left) return { result: "spent" };
    stepsLeft -= steps;
    budget.take(steps);
    // Not `testExact`: it builds automata of up to 8 MB for each expression, and many times slower when they grow.
    if (compiled.expression.matcher(text).matches()) return { result: "matched", index };
  }
  return { result: isAnyLeftOut ? "too_long" : "unmatched" };
}

function compile(pattern: string): Compiled {
  const found = kept.get(pattern);
  if (found !== undefined) {
    kept.delete(pattern);
    kept.set(pattern, found);
    return { ok: true, expression: found.expression };
  }
  const size = regexSize(pattern);
  if (size > REGEX_LIMITS.size) return { ok: false, message: tooCostly() };
  try {
    // The dot means every character: `.*hotfix.*` is how a part is looked for, in a text of several lines too.
    const expression = RE2JS.compile(pattern, RE2JS.DOTALL);
    keep(pattern, expression, size);
    return { ok: true, expression };
  } catch (error) {
    return { ok: false, message: refusal(error, pattern) };
  }
}

/** Those used last are kept, as many as `KEPT_SIZE` allows. */
function keep(pattern: string, expression: RE2JS, size: number): void {
  kept.set(pattern, { expression, size });
  keptSize += size;
  for (const [oldest, { size: freed }] of kept) {
    if (keptSize <= KEPT_SIZE) return;
    kept.delete(oldest);
    keptSize -= freed;
  }
}

function tooCostly(): string {
  return `is too costly: it becomes more than ${REGEX_LIMITS.size} instructions; use smaller counts (nested ones multiply) or fewer ranges of Unicode`;
}

function refusal(error: unknown, pattern: string): string {
  const remedy = "RE2 has no lookaround and no backreferences, and \\ escapes a sign that is meant literally";
  if (!(error instanceof RE2JSSyntaxException)) return `is not a regular expression in RE2's syntax; ${remedy}`;
  // Where no part of the expression is at fault, the engine names all of it, behind the flag that it was given here.
  const place = error.getPattern() === `(?s)${pattern}` ? null : error.getPattern();
  const fault = place === null ? error.getDescription() : `${error.getDescription()} at ${place.slice(0, 60)}`;
  return `is not a regular expression in RE2's syntax: ${fault}; ${remedy}`;
}
