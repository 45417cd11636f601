/** Whether a gate is open by what its tool has answered. Pure. */
import type { Json } from "#protocol/schema.ts";
import { beginningOf } from "#protocol/well-formed.ts";
import { type Comparison, type Expression, type PathStep, parseExpression } from "./parse-expression.ts";
import { ExpressionFault } from "./tokens.ts";

/** `detail` tells the figures, for people; without `ok`, why the answer decides nothing. */
export type Judged = { ok: true; isOpen: boolean; detail: string } | { ok: false; detail: string };

const SHOWN_LENGTH = 60;
const FIGURES_SHOWN = 5;

class Undecided extends Error {}

/** @param when as it was saved; undefined for "the answer is not empty". */
export function judgeAnswer(answer: Json, when: string | undefined): Judged {
  if (when === undefined) {
    const isOpen = !isEmpty(answer);
    return { ok: true, isOpen, detail: `The answer is ${isOpen ? "not " : ""}empty.` };
  }
  const figures = new Map<string, string>();
  try {
    const isOpen = truthOf(parseExpression(when), answer, figures);
    const known = [...figures].slice(0, FIGURES_SHOWN).map(([name, value]) => `${name} is ${value}`);
    const why = known.length === 0 ? "" : ` (${known.join(", ")})`;
    return { ok: true, isOpen, detail: `${when} is ${isOpen}${why}.` };
  } catch (error) {
    if (error instanceof ExpressionFault) return { ok: false, detail: `${when} can't be read: ${error.message}.` };
    if (!(error instanceof Undecided)) throw error;
    return { ok: false, detail: `${when} can't be decided: ${error.message}.` };
  }
}

type Figures = Map<string, string>;

function truthOf(expression: Expression, answer: Json, figures: Figures): boolean {
  switch (expression.is) {
    case "or":
      return truthOf(expression.left, answer, figures) || truthOf(expression.right, answer, figures);
    case "and":
      return truthOf(expression.left, answer, figures) && truthOf(expression.right, answer, figures);
    case "not":
      return !truthOf(expression.of, answer, figures);
  }
  const value = figureOf(expression, answer, figures);
  if (typeof value === "boolean") return value;
  throw new Undecided(`${nameOf(expression)} is ${shown(value)}, and true or false is wanted`);
}

function figureOf(expression: Expression, answer: Json, figures: Figures): Json {
  switch (expression.is) {
    case "value":
      return expression.value;
    case "path": {
      const value = found(answer, expression.path) ?? null;
      figures.set(nameOf(expression), shown(value));
      return value;
    }
    case "count": {
      const count = countOf(answer, expression.path);
      figures.set(nameOf(expression), String(count));
      return count;
    }
    case "exists":
      return (found(answer, expression.path) ?? null) !== null;
    case "contains":
      return contains(figureOf(expression.whole, answer, figures), figureOf(expression.part, answer, figures));
    case "compare": {
      const left = figureOf(expression.left, answer, figures);
      return compare(expression.by, left, figureOf(expression.right, answer, figures));
    }
    default:
      return truthOf(expression, answer, figures);
  }
}

function compare(by: Comparison, left: Json, right: Json): boolean {
  if (by === "==" || by === "!=") return isSame(left, right) === (by === "==");
  const areNumbers = typeof left === "number" && typeof right === "number";
  if (!areNumbers && !(typeof left === "string" && typeof right === "string")) {
    throw new Undecided(`${by} compares two numbers or two texts, not ${shown(left)} and ${shown(right)}`);
  }
  if (by === "<") return left < right;
  if (by === "<=") return left <= right;
  return by === ">" ? left > right : left >= right;
}

/** What is neither a list nor has fields. */
function isSame(left: Json, right: Json): boolean {
  if (isPlain(left) && isPlain(right)) return left === right;
  throw new Undecided("== and != compare texts, numbers, true, false and null, not lists or what has fields");
}

function contains(whole: Json, part: Json): boolean {
  if (Array.isArray(whole)) return whole.some((one) => isPlain(one) && isPlain(part) && one === part);
  if (whole === null) return false;
  if (typeof whole === "string" && typeof part === "string") return whole.includes(part);
  throw new Undecided("contains looks for a text in a text, or for one of a list");
}

function isPlain(value: Json): value is string | number | boolean | null {
  return value === null || typeof value !== "object";
}

function found(answer: Json, path: readonly PathStep[]): Json | undefined {
  let value: Json | undefined = answer;
  for (const step of path) {
    if (value === null || typeof value !== "object" || !Object.hasOwn(value, step)) return undefined;
    // A list has fields of its own, such as its length, which are not the answer's.
    if (Array.isArray(value) !== (typeof step === "number")) return undefined;
    value = (value as Record<PathStep, Json>)[step];
  }
  return value;
}

function countOf(answer: Json, path: readonly PathStep[] | null): number {
  const whole = path === null ? answer : found(answer, path);
  const name = path === null ? "the answer" : pathText(path);
  if (whole === undefined) throw new Undecided(`there is no ${name} in the answer${listsIn(answer)}`);
  if (whole === null) return 0;
  if (Array.isArray(whole)) return whole.length;
  if (typeof whole !== "object") throw new Undecided(`${name} is ${shown(whole)}, and has no list to count`);
  const lists = Object.values(whole).filter((value) => Array.isArray(value));
  const [only] = lists;
  if (lists.length === 1 && only !== undefined) return only.length;
  const said = Object.hasOwn(whole, "count") ? whole["count"] : undefined;
  if (typeof said === "number") return said;
  throw new Undecided(`${name} is no list${listsIn(answer)}`);
}

/** For whoever has named another. */
function listsIn(answer: Json): string {
  if (answer === null || typeof answer !== "object" || Array.isArray(answer)) return "";
  const names = Object.keys(answer).filter((name) => Array.isArray(answer[name]));
  const shownNames = names.slice(0, 5).map((name) => `count(${pathText([name])})`);
  return names.length === 0 ? ", which has no list" : `; its lists: ${shownNames.join(", ")}`;
}

/** Nothing, or a list with nothing in it: also one that stands alone in what has fields. */
function isEmpty(answer: Json): boolean {
  if (answer === null || answer === false || answer === 0) return true;
  if (typeof answer === "string") return answer.trim() === "";
  if (typeof answer !== "object") return false;
  if (Array.isArray(answer)) return answer.length === 0;
  const values = Object.values(answer);
  const lists = values.filter((value) => Array.isArray(value));
  return lists.length === 0 ? values.length === 0 : lists.every((list) => list.length === 0);
}

function nameOf(expression: Expression): string {
  if (expression.is === "path") return pathText(expression.path);
  if (expression.is === "count") return expression.path === null ? "count" : `count(${pathText(expression.path)})`;
  return "it";
}

function pathText(path: readonly PathStep[]): string {
  const text = path
    .map((step, place) => {
      if (typeof step === "number") return `[${step}]`;
      if (!/^[\p{L}_$][\p{L}\p{N}_$-]*$/u.test(step)) return `[${JSON.stringify(step)}]`;
      return place === 0 ? step : `.${step}`;
    })
    .join("");
  return beginningOf(text, SHOWN_LENGTH);
}

function shown(value: Json): string {
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (value !== null && typeof value === "object") return "something with fields";
  const text = JSON.stringify(value);
  return text.length <= SHOWN_LENGTH ? text : `${beginningOf(text, SHOWN_LENGTH)}…`;
}
