/**
 * R2 as the worker asks it: each call within a deadline, and again where what is sent can be sent twice. What streams in comes
 * as fast as its sender sends, and only once: it has deadlines for each piece, see `store/stream-to-bucket.ts`.
 */
import { called } from "#instance/calls.ts";
import { withinDeadline } from "#instance/in-time.ts";
import { r2Failure } from "#rules/calls/retryable.ts";

/** In milliseconds. */
const DEADLINE_MS = 10_000;
const PARTY = "the bucket";
const ASKING = ["head", "get", "put", "delete", "list"];
const READING = ["text", "json", "arrayBuffer", "bytes", "blob"];

export function askedBucket(binding: R2Bucket): R2Bucket {
  return withMethods(binding, ASKING, async (ask, values) => {
    if (values.some((value) => value instanceof ReadableStream)) return await ask(...values);
    const rule = { party: PARTY, deadlineMs: DEADLINE_MS, isRepeatable: true, failureOf: r2Failure };
    const answer = await called(rule, async () => await ask(...values));
    return hasBody(answer) ? askedBody(answer) : answer;
  });
}

/** An object is there before its body is. Who reads that as a stream has a deadline of their own. */
function askedBody(found: R2ObjectBody): R2ObjectBody {
  return withMethods(found, READING, (read) => withinDeadline(read(), DEADLINE_MS, PARTY));
}

function hasBody(answer: unknown): answer is R2ObjectBody {
  return typeof answer === "object" && answer !== null && "body" in answer;
}

type Method = (...values: unknown[]) => Promise<unknown>;

/** @returns what does all that an object does, but for some of its methods. @param make what they do in its place. */
function withMethods<Of extends object>(
  of: Of,
  names: readonly string[],
  make: (method: Method, values: unknown[]) => Promise<unknown>,
): Of {
  return new Proxy(of, {
    get: (_of, name) => {
      const member: unknown = Reflect.get(of, name);
      if (typeof member !== "function") return member;
      const method: Method = member.bind(of);
      return names.includes(String(name)) ? (...values: unknown[]) => make(method, values) : method;
    },
  });
}
