/** Passes a model's answer on as it comes, and has what it used written down before the sandbox has all of it. */
import { logEvent, logTrouble } from "#protocol/log.ts";
import type { ModelUsage } from "#protocol/model-usage.ts";
import type { Tokens } from "#protocol/run.ts";
import type { HttpContext } from "#worker/http/http-env.ts";
import { pump } from "../pump.ts";
import type { AttemptWatch } from "./attempt-watch.ts";
import { oweUsage } from "./owe-usage.ts";
import { type UsageMeter, usageMeter } from "./usage-meter.ts";

/** A call as the run's object knows it. */
export type MeteredCall = Pick<ModelUsage, "lease" | "call">;

const NO_TOKENS: Tokens = { input_tokens: 0, output_tokens: 0, cache_read_tokens: 0, cache_write_tokens: 0 };

/**
 * The pieces of a stream are passed on at once, but for that with its last event: it waits for what the call used to be
 * written down, and so does the last piece of an answer that is no stream. When that can't be, the answer breaks off.
 * @param call null for one that is not metered. @param watch ends the answer together with its attempt.
 */
export function passMetered(
  c: HttpContext,
  call: MeteredCall | null,
  answer: Response,
  headers: Headers,
  watch: AttemptWatch,
): Response {
  const { status } = answer;
  const meter = usageMeter(headers.get("content-type"));
  const noteBegun = call === null ? () => {} : beginningOf(c, call, meter);
  const passed = pump(answer.body ?? new Response("").body ?? new ReadableStream(), {
    onChunk: (chunk) => {
      watch.touch();
      meter.push(chunk);
      noteBegun();
    },
    isComplete: () => meter.isComplete(),
    holdsLast: call !== null && !meter.isStream,
    onEnd: async () => {
      watch.end();
      if (call === null) return;
      // An answer that is an error has used nothing.
      const isPart = status < 400 && !meter.isWhole();
      await settle(c, { ...call, tokens: meter.tokens(), is_part: isPart }, status);
    },
    leaveOn: AbortSignal.any([c.req.raw.signal, watch.signal]),
  });
  c.executionCtx.waitUntil(passed.done);
  return new Response(passed.stream, { status, headers });
}

/**
 * Records that a call was not answered. No answer waits for that. What it used is not known where the sandbox has left while
 * the upstream was at work.
 * @param status of the upstream; 0 without an answer. @param ended aborted where the attempt has ended meanwhile.
 */
export function tellUnused(c: HttpContext, call: MeteredCall | null, status: number, ended?: AbortSignal): void {
  if (call === null) return;
  const isPart = status === 0 && (c.req.raw.signal.aborted || ended?.aborted === true);
  c.executionCtx.waitUntil(settle(c, { ...call, tokens: NO_TOKENS, is_part: isPart }, status).catch(() => {}));
}

/** Tells the object what the question took as soon as that is known: should this worker end, it is not lost with the rest. */
function beginningOf(c: HttpContext, { lease, call }: MeteredCall, meter: UsageMeter): () => void {
  let isNoted = false;
  const note = async () => {
    await c.var.deps.ownerOf(lease.run_id).noteModelUsage(lease, call, meter.tokens());
  };
  return () => {
    if (isNoted || !meter.isBegun() || meter.isComplete()) return;
    isNoted = true;
    const unnoted = (error: unknown) => logTrouble("usage_not_told", { ...lease, call }, error);
    c.executionCtx.waitUntil(note().catch(unnoted));
  };
}

/** @throws Error when nobody has taken in what the call used. */
async function settle(c: HttpContext, used: Omit<ModelUsage, "kind">, status: number): Promise<void> {
  const outcome = await oweUsage(c.var.deps, { kind: "model_usage", ...used });
  const { lease, call, tokens, is_part } = used;
  logEvent("model_call", {
    request_id: c.var.requestId,
    ...lease,
    call,
    upstream_status: status,
    outcome,
    ...tokens,
    is_part: is_part === true,
  });
}
