/** Pure: what the object says over `/live`, as server-sent events. */
import { z } from "zod";
import { parseJson } from "#rules/json.ts";

/** The object wrote these messages and checked them: here only what steers the stream is read, and the rest passed on. */
const eventSchema = z.looseObject({
  // In the order in which they are written, so that an event reads the same wherever it is read.
  seq: z.int(),
  at: z.string().optional(),
  session_id: z.string().optional(),
  run_id: z.string(),
  type: z.string(),
});
const batchSchema = z.object({ type: z.literal("events"), events: z.array(eventSchema) });
const caughtUpSchema = z.looseObject({ type: z.literal("caught_up"), active: z.boolean() });
const deltaSchema = z.looseObject({ type: z.literal("agent.delta") });
const messageSchema = z.union([batchSchema, caughtUpSchema, deltaSchema, eventSchema]);
type StreamEvent = z.infer<typeof eventSchema>;

export interface StreamState {
  /** The last event that was passed on. */
  seq: number;
  isCaughtUp: boolean;
  /** Runs that were seen to begin and not yet to end. */
  activeRuns: ReadonlySet<string>;
}

export interface Step {
  state: StreamState;
  /** What goes to the reader; empty when the message is not for it. */
  text: string;
  /** What to acknowledge once the reader has taken the text; null when there is nothing. */
  ack: number | null;
  /** Nothing more will come: no run is on. */
  isEnd: boolean;
  /** May be left out for a reader that is behind. */
  isDelta: boolean;
}

export function streamStart(after: number): StreamState {
  return { seq: after, isCaughtUp: false, activeRuns: new Set() };
}

/** @param message one WebSocket message; what is not understood is passed over. */
export function translate(state: StreamState, message: string): Step {
  const parsed = messageSchema.safeParse(parseJson(message));
  const nothing: Step = { state, text: "", ack: null, isEnd: false, isDelta: false };
  if (!parsed.success) return nothing;
  const live = parsed.data;
  if (isBatch(live)) return passOn(state, live.events);
  if (isEvent(live)) return passOn(state, [live]);
  if (live.type === "agent.delta") return { ...nothing, text: dataLine(live), isDelta: true };
  return { ...nothing, state: { ...state, isCaughtUp: true }, text: dataLine(live), isEnd: live["active"] === false };
}

/** An event that was passed on before is left out: no repeat. */
function passOn(state: StreamState, events: readonly StreamEvent[]): Step {
  const fresh = events.filter((event) => event.seq > state.seq);
  const last = events.at(-1);
  const activeRuns = new Set(state.activeRuns);
  let hasFinished = false;
  for (const { type, run_id } of fresh) {
    if (type === "run.finished") {
      activeRuns.delete(run_id);
      hasFinished = true;
    } else if (type === "run.queued") activeRuns.add(run_id);
  }
  return {
    state: { ...state, seq: Math.max(state.seq, last?.seq ?? 0), activeRuns },
    text: fresh.map((event) => `id: ${event.seq}\n${dataLine(event)}`).join(""),
    ack: last?.seq ?? null,
    // Before `caught_up` an ended run may be followed by another in the backlog.
    isEnd: state.isCaughtUp && hasFinished && activeRuns.size === 0,
    isDelta: false,
  };
}

/** JSON has no line break of its own, so one `data:` line holds it. */
function dataLine(value: object): string {
  return `data: ${JSON.stringify(value)}\n\n`;
}

function isBatch(live: z.infer<typeof messageSchema>): live is z.infer<typeof batchSchema> {
  return live.type === "events";
}

function isEvent(live: z.infer<typeof messageSchema>): live is StreamEvent {
  return typeof Reflect.get(live, "seq") === "number" && live.type !== "caught_up" && live.type !== "agent.delta";
}
