/** What a transcript tells is well-formed and fits its session, whatever came in and whoever asks. */
import { exports } from "cloudflare:workers";
import { expect, it, vi } from "vitest";
import { buildRoutine, call, fired, OWNER_TOKEN, readRun, readTranscript, watch } from "#test/support/api.ts";
import { agentSays, FakeRunner, RUNNING, SUCCEEDED } from "#test/support/fake-runner.ts";

/** A JSON escape of half of a surrogate pair. */
const LONE = /\\ud[89a-f]/i;

const ask = (path: string, headers: Record<string, string> = {}) =>
  exports.default.fetch(`http://reveille.test${path}`, {
    headers: { authorization: `Bearer ${OWNER_TOKEN}`, ...headers },
  });

it("text with half of a surrogate pair leaves mended, to pages, streams and viewers", async () => {
  const routine = await buildRoutine({ name: "half \ud800", prompt: "half \udc00" });
  using runner = await FakeRunner.join();
  const answer = await fired(routine, { text: "cut \ud83d" });
  const viewer = await watch(answer.claude_code_session_id);
  const work = await runner.work(await runner.accept());
  expect(JSON.stringify(work.order)).not.toMatch(LONE);
  const toolCall = { type: "tool.call" as const, tool_call_id: "toolu_\ud800", name: "Bash" };
  await work.report(RUNNING, agentSays("lone \ud800 here 😀"), {
    kind: "event",
    event: { ...toolCall, parent: "toolu_1", input: { "key \udbff": ["\udc00"] } },
  });
  work.link.send({ type: "delta", delta: { type: "agent.delta", message_id: "m", kind: "text", text: "live \ud800" } });
  await viewer.until(() => viewer.messages.some(({ type }) => type === "agent.delta"));
  const report = { result: "done" as const, summary: "half \udc00 pair" };
  await work.finish({ ...SUCCEEDED, report } as typeof SUCCEEDED);

  const { session_id, id, summary } = await readRun(answer.run_id);
  expect(summary).toBe("half \ufffd pair");
  const events = await readTranscript(session_id);
  expect(events).toContainEqual(expect.objectContaining({ type: "agent.message", text: "lone \ufffd here 😀" }));
  expect(events).toContainEqual(expect.objectContaining({ parent: "toolu_1", input: { "key \ufffd": ["\ufffd"] } }));
  const paths = [`/api/v1/runs/${id}`, "/api/v1/runs", `/api/v1/sessions/${session_id}/events`];
  for (const path of [...paths, `/api/v1/routines/${routine.id}`])
    expect(await (await ask(path)).text()).not.toMatch(LONE);
  const stream = await ask(`/api/v1/sessions/${session_id}/events`, { accept: "text/event-stream" });
  expect(await stream.text()).not.toMatch(LONE);
  expect(JSON.stringify(viewer.messages)).not.toMatch(LONE);
});

it("a reader whose cursor is beyond the end is told where that is", async () => {
  const { claude_code_session_id: session, run_id } = await fired(await buildRoutine());
  // Of a run that has ended nothing more is told.
  await call("POST", `/api/v1/runs/${run_id}/cancel`);
  await vi.waitUntil(async () => (await readRun(run_id)).status === "canceled", { interval: 5 });
  const last = (await readTranscript(session)).length;
  const path = `/api/v1/sessions/${session}/events`;
  const words = (field: string) => `${field}: ${last + 1} is beyond the transcript's end, which is ${last}`;
  const refused = { status: 400, body: { error: { message: words("after") } } };
  expect(await call("GET", `${path}?after=${last + 1}`)).toMatchObject(refused);
  const sse = { accept: "text/event-stream" };
  expect(await call("GET", `${path}?after=${last + 1}`, undefined, sse)).toMatchObject(refused);
  expect(await call("GET", path, undefined, { ...sse, "last-event-id": String(last + 1) })).toMatchObject({
    status: 400,
    body: { error: { message: words("Last-Event-ID") } },
  });
  const viewer = await watch(session, last + 1);
  await viewer.until(() => viewer.closed !== null);
  expect(viewer.closed).toMatchObject({ code: 1008, reason: words("after") });
  // The end itself is where a reader waits.
  expect((await call<{ data: unknown[] }>("GET", `${path}?after=${last}`)).body.data).toEqual([]);
  const waiting = await watch(session, last);
  await waiting.next(({ type }) => type === "caught_up");
});
