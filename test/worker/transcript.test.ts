/** A reader follows a session: as pages, as server-sent events, and over a WebSocket with a ticket. */
import { beforeAll, describe, expect, it, vi } from "vitest";
import { z } from "zod";
import { ticketSchema } from "#protocol/api.ts";
import { type TranscriptEvent, transcriptEventSchema } from "#protocol/transcript.ts";
import { eventsOf, readTranscript } from "#test/support/api.ts";
import { agentSays, FakeRunner, RUNNING } from "#test/support/fake-runner.ts";
import { dial } from "#test/support/test-socket.ts";
import { sseAnswer } from "#worker/live/sse-answer.ts";
import { type StreamState, streamStart, translate } from "#worker/live/translate.ts";
import { ask, createRoutine, errorOf, read } from "./support.ts";

const started = z.object({ run_id: z.string(), session_id: z.string() });

interface Sent {
  id: number | null;
  data: Record<string, unknown>;
}

/** Reads server-sent events one by one. */
class SseReader {
  comments = 0;
  retry: string | null = null;
  readonly #reader: ReadableStreamDefaultReader<string>;
  #buffer = "";

  constructor(answer: Response) {
    expect(answer.headers.get("content-type")).toContain("text/event-stream");
    if (answer.body === null) throw new Error("no body");
    this.#reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  }

  /** The next event that carries data, or null at the end. */
  async next(): Promise<Sent | null> {
    for (;;) {
      const end = this.#buffer.indexOf("\n\n");
      if (end === -1) {
        const { done, value } = await this.#reader.read();
        if (done) return null;
        this.#buffer += value;
        continue;
      }
      const lines = this.#buffer.slice(0, end).split("\n");
      this.#buffer = this.#buffer.slice(end + 2);
      const fieldOf = (name: string) => lines.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2);
      if (lines.some((line) => line.startsWith(":"))) this.comments += 1;
      this.retry = fieldOf("retry") ?? this.retry;
      expect(fieldOf("event")).toBeUndefined();
      const data = fieldOf("data");
      if (data !== undefined)
        return { id: fieldOf("id") === undefined ? null : Number(fieldOf("id")), data: JSON.parse(data) };
    }
  }

  async rest(): Promise<Sent[]> {
    const all: Sent[] = [];
    for (let sent = await this.next(); sent !== null; sent = await this.next()) all.push(sent);
    return all;
  }

  async until(type: string): Promise<Sent[]> {
    const all: Sent[] = [];
    for (;;) {
      const sent = await this.next();
      if (sent === null) throw new Error(`the stream ended before ${type}`);
      all.push(sent);
      if (sent.data["type"] === type) return all;
    }
  }

  cancel(): Promise<void> {
    return this.#reader.cancel();
  }
}

function stream(sessionId: string, query = "", headers: Record<string, string> = {}): Promise<Response> {
  return ask(`/api/v1/sessions/${sessionId}/events${query}`, { headers: { accept: "text/event-stream", ...headers } });
}

function durable(sent: Sent[]): TranscriptEvent[] {
  return sent.filter(({ id }) => id !== null).map(({ data }) => transcriptEventSchema.parse(data));
}

describe("a session while its run goes on", () => {
  let runner: FakeRunner;
  beforeAll(async () => {
    runner = await FakeRunner.join({ capacity: 50 });
  });

  async function begin() {
    const { id } = await createRoutine();
    const { session_id } = await read(started, `/api/v1/routines/${id}/run`, { method: "POST", body: { text: "go" } });
    const work = await runner.work(await runner.accept());
    return { sessionId: session_id, work };
  }

  it("is the same as pages, as server-sent events and over a ticket's socket", async () => {
    const { sessionId, work } = await begin();
    const reader = new SseReader(await stream(sessionId));
    const backlog = await reader.until("caught_up");
    expect(reader.retry).toBe("1000");
    expect(backlog.at(-1)?.data).toMatchObject({ active: true });
    const { ticket } = await read(ticketSchema, `/api/v1/sessions/${sessionId}/ticket`, { method: "POST" });
    const viewer = await dial(`/api/v1/sessions/${sessionId}/live?ticket=${ticket}`, {
      origin: "http://reveille.test",
    });
    await work.report(RUNNING);
    work.link.send({ type: "delta", delta: { type: "agent.delta", message_id: "m", kind: "text", text: "Hel" } });
    await work.report(agentSays("Hello\r\n\r\ndata: not a field"));
    await work.finish();
    const rest = await reader.rest();
    expect(rest.filter(({ data }) => data["type"] === "agent.delta")).toMatchObject([{ id: null }]);
    await viewer.until(() => eventsOf(viewer).some(({ type }) => type === "run.finished"));
    const events = durable([...backlog, ...rest]);
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_, place) => place + 1));
    expect(events.at(-1)).toMatchObject({ type: "run.finished", status: "succeeded" });
    expect(await readTranscript(sessionId, 2)).toEqual(events);
    expect(eventsOf(viewer)).toEqual(events);
    viewer.close();
  });

  it("goes on after Last-Event-ID, which wins over after, and ends at once when no run is on", async () => {
    const { sessionId, work } = await begin();
    await work.report(RUNNING);
    await work.finish();
    const all = await readTranscript(sessionId);
    const resumed = new SseReader(await stream(sessionId, "?after=1", { "last-event-id": "3" }));
    const sent = await resumed.rest();
    expect(durable(sent)).toEqual(all.slice(3));
    expect(sent.at(-1)?.data).toMatchObject({ type: "caught_up", active: false });
    expect(durable(await new SseReader(await stream(sessionId, "?after=2")).rest())).toEqual(all.slice(2));
    expect(durable(await new SseReader(await stream(sessionId, `?after=${all.length}`)).rest())).toEqual([]);
  });

  it("reaches a reader whole that needs more than the window holds", async () => {
    const { sessionId, work } = await begin();
    await work.report(RUNNING);
    for (let batch = 0; batch < 13; batch += 1) {
      await work.report(...Array.from({ length: 100 }, (_, place) => agentSays(`message ${batch} ${place}`)));
    }
    await work.finish();
    const events = durable(await new SseReader(await stream(sessionId)).rest());
    expect(events.length).toBeGreaterThan(1_300);
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_, place) => place + 1));
  });

  it("is followed with a ticket once, for its own session, from the instance's own pages", async () => {
    const { sessionId } = await begin();
    const other = await begin();
    const issue = () => read(ticketSchema, `/api/v1/sessions/${sessionId}/ticket`, { method: "POST" });
    const open = (session: string, ticket: string, headers: Record<string, string> = {}) =>
      dial(`/api/v1/sessions/${session}/live?ticket=${ticket}`, headers);
    const { ticket } = await issue();
    const viewer = await open(sessionId, ticket);
    await viewer.next(({ type }) => type === "caught_up");
    viewer.close();
    for (const [session, given] of [
      [sessionId, ticket],
      [other.sessionId, (await issue()).ticket],
      [sessionId, "x"],
    ] as const) {
      const refused = await open(session, given);
      await refused.until(() => refused.closed !== null);
      expect(refused.closed?.code).toBe(4401);
    }
    const foreign = open(sessionId, (await issue()).ticket, { origin: "https://evil.example" });
    await expect(foreign).rejects.toThrow("403");
    const unknown = await dial(`/api/v1/sessions/session_${"0".repeat(26)}/live`, {
      authorization: "Bearer owner-token-of-the-tests-0123456789abcdef",
    });
    await unknown.until(() => unknown.closed !== null);
    expect(unknown.closed?.code).toBe(4404);
  });

  it("does not open for a stranger", async () => {
    const { sessionId } = await begin();
    for (const headers of [{ accept: "text/event-stream" }, { upgrade: "websocket" }, {}]) {
      const path = `/api/v1/sessions/${sessionId}/${"upgrade" in headers ? "live" : "events"}`;
      expect(await errorOf(await ask(path, { token: null, headers }))).toMatchObject({ status: 401 });
    }
  });
});

describe("the stream's adapter", () => {
  const event = (seq: number, type = "notice", run = "run_1") => JSON.stringify({ seq, run_id: run, type });

  function pair() {
    const { 0: reader, 1: object } = new WebSocketPair();
    object.accept();
    const acks: number[] = [];
    let isClosed = false;
    object.addEventListener("message", ({ data }) => {
      acks.push(JSON.parse(String(data)).seq);
    });
    object.addEventListener("close", () => {
      isClosed = true;
    });
    return { reader, object, acks, isClosed: () => isClosed };
  }

  it("acknowledges what the reader has taken, and no more", async () => {
    const { reader, object, acks } = pair();
    const sse = new SseReader(sseAnswer(reader, 0));
    for (const seq of [1, 2, 3]) object.send(event(seq));
    expect((await sse.next())?.id).toBe(1);
    expect(acks).toEqual([]);
    expect((await sse.next())?.id).toBe(2);
    expect((await sse.next())?.id).toBe(3);
    await vi.waitFor(() => expect(acks).toEqual([1, 2]));
    object.close(1012, "restarting");
    expect(await sse.next()).toBeNull();
  });

  it("closes the object's socket when the reader goes away", async () => {
    const { reader, object, isClosed } = pair();
    const sse = new SseReader(sseAnswer(reader, 0));
    object.send(event(1));
    await sse.next();
    await sse.cancel();
    await vi.waitFor(() => expect(isClosed()).toBe(true));
  });

  it("says that it is still there, and ends when nothing comes for long", async () => {
    const { reader, isClosed } = pair();
    const sse = new SseReader(sseAnswer(reader, 0, undefined, { commentMs: 20, idleMs: 200 }));
    expect(await sse.next()).toBeNull();
    expect(sse.comments).toBeGreaterThan(0);
    await vi.waitFor(() => expect(isClosed()).toBe(true));
  });
});

describe("what the object says, as server-sent events", () => {
  const event = (seq: number, type: string, run = "run_1") => ({ seq, run_id: run, type });
  function play(messages: unknown[], start: StreamState = streamStart(0)) {
    let state = start;
    return messages.map((message) => {
      const step = translate(state, typeof message === "string" ? message : JSON.stringify(message));
      state = step.state;
      const ids = [...step.text.matchAll(/^id: ([0-9]+)$/gm)].map(([, id]) => Number(id));
      return { ids, ack: step.ack, isEnd: step.isEnd };
    });
  }
  const caughtUp = (active: boolean) => ({ type: "caught_up", seq: 1, active });
  const silent = { ids: [], ack: null, isEnd: false };

  it.each<[string, unknown[], ReturnType<typeof play>]>([
    ["an event", [event(1, "notice")], [{ ids: [1], ack: 1, isEnd: false }]],
    [
      "a batch",
      [{ type: "events", events: [event(1, "run.queued"), event(2, "notice")] }],
      [{ ids: [1, 2], ack: 2, isEnd: false }],
    ],
    [
      "a repeat is acknowledged and left out",
      [event(1, "notice"), { type: "events", events: [event(1, "notice"), event(2, "notice")] }],
      [
        { ids: [1], ack: 1, isEnd: false },
        { ids: [2], ack: 2, isEnd: false },
      ],
    ],
    ["the present end of a session at rest", [caughtUp(false)], [{ ...silent, isEnd: true }]],
    ["the last run's end", [caughtUp(true), event(2, "run.finished")], [silent, { ids: [2], ack: 2, isEnd: true }]],
    [
      "an end in the backlog is none",
      [event(1, "run.finished"), caughtUp(true)],
      [{ ids: [1], ack: 1, isEnd: false }, silent],
    ],
    [
      "one of two runs ends",
      [
        event(1, "run.queued", "run_1"),
        event(2, "run.queued", "run_2"),
        caughtUp(true),
        event(3, "run.finished", "run_1"),
      ],
      [
        { ids: [1], ack: 1, isEnd: false },
        { ids: [2], ack: 2, isEnd: false },
        silent,
        { ids: [3], ack: 3, isEnd: false },
      ],
    ],
    ["what is not understood", ["{", "7", "{}", { type: "accepted", id: "x" }], [silent, silent, silent, silent]],
  ])("%s", (_what, messages, expected) => {
    expect(play(messages)).toEqual(expected);
  });
});
