/** Whether an event passes the filters of a trigger, and why. Pure. */
import { characterCount, composed, firstCharacters } from "#protocol/characters.ts";
import type { Filter, FilterCheck } from "#protocol/filters.ts";
import { type FilteredEvent, type Found, findField, type Scalar } from "./field-lookup.ts";
import { EVENT_STEPS, FilterBudget } from "./filter-budget.ts";
import { findWholeMatch, REGEX_LIMITS, regexFault } from "./regex.ts";

/** How much a sentence quotes: characters of a text, values of a list, characters in all. */
const QUOTED = { text: 100, values: 3, sentence: 500 } as const;

type Verdict = Pick<FilterCheck, "matched" | "why">;
type FilterOf<Operator extends Filter["operator"]> = Extract<Filter, { operator: Operator }>;
type RegexFilter = FilterOf<"matches_regex">;
type ComparingFilter = Exclude<Filter, FilterOf<"exists"> | RegexFilter>;

/** The values of a field that can be compared: one, or those in a list. */
interface Compared {
  field: string;
  isList: boolean;
  values: Scalar[];
}

/** What is said of the value found: that it fulfils a condition, that it does not, that none in a list does. */
interface Wording {
  holds: string;
  fails: string;
  none: string;
}

/**
 * @param budget of the event: whatever else is judged of it for the same routine shares it.
 * @returns one check for each filter, in their order; all must have matched for the event to pass.
 */
export function judgeFilters(
  filters: readonly Filter[],
  event: FilteredEvent,
  budget = new FilterBudget(),
): FilterCheck[] {
  return filters.map((filter) => {
    const { field, operator } = filter;
    const found = findField(event, field, budget);
    // What can't be looked at lets nothing through, whatever the operator.
    if (found.kind === "spent") return { field, operator, ...notTried(field) };
    const verdict = filter.operator === "exists" ? judgeExistence(filter, found) : judgeValue(filter, found, budget);
    return { field, operator, ...verdict };
  });
}

/**
 * What a routine's filters are refused for when it is saved.
 * @returns all faults, each with the field that has it as people find it in the trigger.
 */
export function filtersFaults(filters: readonly Filter[]): { field: string; message: string }[] {
  return filters.flatMap((filter, index) => {
    const message = filter.operator === "matches_regex" ? regexFault(filter.value) : null;
    return message === null ? [] : [{ field: `filters[${index}].value`, message }];
  });
}

type Looked = Exclude<Found, { kind: "spent" }>;

function notTried(field: string): Verdict {
  const why = `${field} was not tried: the filters of a routine may take ${EVENT_STEPS} steps for one event, and they have been taken`;
  return { matched: false, why: cut(why) };
}

function judgeExistence({ field, value }: FilterOf<"exists">, found: Looked): Verdict {
  const isThere = found.kind !== "missing";
  return { matched: isThere === value, why: `${field} is ${isThere ? "there" : "not there"}` };
}

function judgeValue(filter: ComparingFilter | RegexFilter, found: Looked, budget: FilterBudget): Verdict {
  const { field, operator } = filter;
  const isNegative = operator === "is_not_one_of";
  if (found.kind === "missing") return { matched: isNegative, why: `${field} is not there` };
  const items = found.kind === "one" ? [found.value] : found.items;
  const values = items.filter((item) => typeof item !== "object");
  // An object is equal to nothing, and different from nothing either: whoever names one means a field of it.
  if (values.length < items.length && (isNegative || values.length === 0)) {
    const what = found.kind === "one" ? "is an object: name one of its" : "holds objects: name one of their";
    return { matched: false, why: `${field} ${what} fields, as in ${field}.id` };
  }
  const compared = { field, isList: found.kind === "list", values };
  if (operator === "matches_regex") return judgeRegex(filter, compared, budget);
  const holds = condition(filter, compared.isList);
  const holding = values.find((value) => {
    if (budget.isSpent) return true;
    budget.takeComparison(value);
    return holds(value);
  });
  if (budget.isSpent) return notTried(field);
  const why = sentence(compared, holding, wording(filter, compared.isList));
  return { matched: (holding !== undefined) !== isNegative, why };
}

/** What one value must fulfil; for `is_not_one_of`, what no value may fulfil. */
function condition(filter: ComparingFilter, isList: boolean): (value: Scalar) => boolean {
  const { operator, value: given } = filter;
  if (Array.isArray(given)) {
    const listed = new Set(given.map(asText));
    return (value) => listed.has(asText(value));
  }
  const wanted = asText(given);
  if (operator === "starts_with") return (value) => typeof value === "string" && asText(value).startsWith(wanted);
  if (operator === "contains" && !isList) return (value) => typeof value === "string" && asText(value).includes(wanted);
  return (value) => asText(value) === wanted;
}

/** Numbers and booleans are compared by their texts, so that `true` in YAML is "true" in a payload; texts by what they say. */
function asText(value: Scalar): string {
  return composed(String(value));
}

function judgeRegex({ field, value: pattern }: RegexFilter, compared: Compared, budget: FilterBudget): Verdict {
  for (const value of compared.values) budget.takeComparison(value);
  if (budget.isSpent) return notTried(field);
  const match = findWholeMatch(composed(pattern), compared.values.map(asText), budget);
  const wanted = quote(pattern);
  if (match.result === "too_long") {
    const limit = `at most ${REGEX_LIMITS.text} characters are tried, and fewer with a long expression`;
    return { matched: false, why: cut(`${field} is too long for ${wanted}: ${limit}`) };
  }
  if (match.result === "spent") {
    const why = `${field} was not tried with ${wanted}: the filters of a routine may take ${EVENT_STEPS} steps for one event, and those before have taken them`;
    return { matched: false, why: cut(why) };
  }
  if (match.result === "refused") return { matched: false, why: cut(`${wanted} ${match.message}`) };
  const why = sentence(compared, match.result === "matched" ? compared.values[match.index] : undefined, {
    holds: `, which matches ${wanted}`,
    fails: `, which does not match ${wanted} as a whole`,
    none: `matches ${wanted} as a whole`,
  });
  return { matched: match.result === "matched", why };
}

function wording(filter: ComparingFilter, isList: boolean): Wording {
  const { operator, value: given } = filter;
  if (Array.isArray(given)) {
    const wanted = `one of ${quoteAll(given)}`;
    return { holds: `, ${wanted}`, fails: `, not ${wanted}`, none: `is ${wanted}` };
  }
  const wanted = quote(given);
  if (operator === "starts_with") {
    const holds = `, which starts with ${wanted}`;
    return { holds, fails: `, which does not start with ${wanted}`, none: `starts with ${wanted}` };
  }
  if (operator === "contains" && !isList) {
    const holds = `, which contains ${wanted}`;
    return { holds, fails: `, which does not contain ${wanted}`, none: `contains ${wanted}` };
  }
  return { holds: "", fails: `, not ${wanted}`, none: `is ${wanted}` };
}

function sentence({ field, isList, values }: Compared, holding: Scalar | undefined, wording: Wording): string {
  if (holding !== undefined) return cut(`${field} ${isList ? "has" : "is"} ${quote(holding)}${wording.holds}`);
  if (values.length === 0) return `${field} is an empty list`;
  if (isList) return cut(`${field} is [${quoteAll(values)}], where none ${wording.none}`);
  return cut(`${field} is ${quoteAll(values)}${wording.fails}`);
}

function quote(value: Scalar): string {
  const shown = typeof value === "string" ? firstCharacters(value, QUOTED.text) : value;
  return JSON.stringify(shown) + (shown === value ? "" : "…");
}

function quoteAll(values: readonly Scalar[]): string {
  const shown = values.slice(0, QUOTED.values).map(quote);
  const left = values.length - shown.length;
  return shown.join(", ") + (left === 0 ? "" : ` and ${left} more`);
}

function cut(text: string): string {
  return characterCount(text) <= QUOTED.sentence ? text : `${firstCharacters(text, QUOTED.sentence - 1)}…`;
}
