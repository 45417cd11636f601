/** R2 as the worker asks it: each call within a deadline, and again where what is sent can be sent twice. */
import { called } from "#instance/calls.ts";
import { r2Failure } from "#rules/calls/retryable.ts";

/** In milliseconds. */
const DEADLINE_MS = 10_000;
/** What streams in comes as fast as its sender sends. */
const STREAM_DEADLINE_MS = 120_000;
const ASKING = ["head", "get", "put", "delete", "list"];

export function askedBucket(binding: R2Bucket): R2Bucket {
  return new Proxy(binding, {
    get: (_binding, name) => {
      const member: unknown = Reflect.get(binding, name);
      if (typeof member !== "function") return member;
      if (!ASKING.includes(String(name))) return member.bind(binding);
      return (...values: unknown[]) => {
        const isStream = values.some((value) => value instanceof ReadableStream);
        const deadlineMs = isStream ? STREAM_DEADLINE_MS : DEADLINE_MS;
        const rule = { party: "the bucket", deadlineMs, isRepeatable: !isStream, failureOf: r2Failure };
        return called(rule, async () => await Reflect.apply(member, binding, values));
      };
    },
  });
}
