/** D1 as the worker asks it: each statement within a deadline, and again where it only reads, or may be done twice. */
import { type CallRule, called } from "#instance/calls.ts";
import { d1Failure } from "#rules/calls/retryable.ts";

export interface Database extends D1Database {
  /** The same for writes that may be done twice: a write may have gone through though an error was the answer. */
  readonly repeatable: D1Database;
}

/** In milliseconds, for all tries of a statement or batch. */
const DEADLINE_MS = 10_000;
/** The methods of a statement that ask the database. */
const ASKING = ["first", "run", "all", "raw"];
const READS = /^\s*(SELECT|WITH)\b(?!.*\b(INSERT|UPDATE|DELETE|REPLACE)\b)/is;

export function askedDatabase(binding: D1Database): Database {
  return Object.assign(facade(binding, false), { repeatable: facade(binding, true) });
}

function facade(binding: D1Database, mayWriteAgain: boolean): D1Database {
  /** The platform's own statements, which a batch has to have. */
  const known = new WeakMap<D1PreparedStatement, { statement: D1PreparedStatement; rule: CallRule }>();
  const ruleOf = (isRepeatable: boolean): CallRule => {
    return { party: "the index", deadlineMs: DEADLINE_MS, isRepeatable, failureOf: d1Failure };
  };
  const asked = (statement: D1PreparedStatement, rule: CallRule): D1PreparedStatement => {
    const shown: D1PreparedStatement = new Proxy(statement, {
      get: (_statement, name) => {
        const member: unknown = Reflect.get(statement, name);
        if (typeof member !== "function") return member;
        if (name === "bind") return (...values: unknown[]) => asked(statement.bind(...values), rule);
        if (!ASKING.includes(String(name))) return member.bind(statement);
        return (...values: unknown[]) => called(rule, async () => await Reflect.apply(member, statement, values));
      },
    });
    known.set(shown, { statement, rule });
    return shown;
  };
  const shown: object = {
    prepare: (text: string) => asked(binding.prepare(text), ruleOf(mayWriteAgain || READS.test(text))),
    batch: (batch: D1PreparedStatement[]) => {
      const statements = batch.map((one) => known.get(one) ?? { statement: one, rule: ruleOf(mayWriteAgain) });
      const isRepeatable = statements.every(({ rule }) => rule.isRepeatable);
      return called(ruleOf(isRepeatable), () => binding.batch(statements.map(({ statement }) => statement)));
    },
  };
  return shown as D1Database;
}
