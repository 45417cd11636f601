/** Objects as the worker asks them: each method within a deadline, and again where that is safe. */
import { type CallRule, called } from "#instance/calls.ts";
import { refuse } from "#protocol/errors.ts";
import { objectFailure } from "#rules/calls/retryable.ts";

interface MethodRule extends Pick<CallRule, "deadlineMs" | "isRepeatable"> {
  /** Whether the object hears that it is asked again: then a last value is `true`. */
  isTold: boolean;
}

/**
 * @param make gives a stub. One that has failed once fails for ever, so what is asked next is asked of another.
 * @param ruleOf tells how a method is called. @throws what `make` throws the first time.
 */
export function askedObject<Stub extends object>(
  party: string,
  make: () => Stub,
  ruleOf: (method: string) => MethodRule,
): Stub {
  const first = make();
  let whole: Stub | null = first;
  const ask = async (name: string, values: readonly unknown[]): Promise<unknown> => {
    whole ??= make();
    const method: unknown = Reflect.get(whole, name);
    if (typeof method !== "function") throw new TypeError(`${party} has no method ${name}`);
    try {
      return await Reflect.apply(method, whole, values);
    } catch (error) {
      whole = null;
      throw error;
    }
  };
  const asked: object = new Proxy(first, {
    get: (_stub, name) => {
      // Not a promise, though a stub answers to any name.
      if (name === "then" || typeof name !== "string") return undefined;
      const { isTold, ...rule } = ruleOf(name);
      return (...values: unknown[]) =>
        called({ ...rule, party, failureOf: objectFailure }, (tries) =>
          ask(name, isTold && tries > 1 ? [...values, true] : values),
        );
    },
  });
  return asked as Stub;
}

/**
 * An object whose methods answer `not_found` in its place where there is none. @param isThere is asked once for each call.
 * @param always methods that are called without asking.
 */
export function askedWhereThere<Stub extends object>(
  stub: Stub,
  isThere: () => Promise<boolean>,
  always: ReadonlySet<PropertyKey>,
): Stub {
  const asked: object = new Proxy(stub, {
    get: (_stub, name) => {
      const method: unknown = Reflect.get(stub, name);
      if (typeof method !== "function" || always.has(name)) return method;
      return async (...values: unknown[]) =>
        (await isThere()) ? await Reflect.apply(method, stub, values) : refuse("not_found");
    },
  });
  return asked as Stub;
}
