/** Runs of one session at the fake instance: what the object does with what a run has said, and tells the next one. */
import { randomUUID } from "node:crypto";
import type { Resume } from "#protocol/conversation.ts";
import type { RunOrder } from "#protocol/runner-link.ts";
import { byteLength } from "#protocol/transcript.ts";
import { lastCalls } from "#rules/run/last-calls.ts";
import { SDK_VERSION } from "#sandbox-runner/session/sdk-version.ts";
import type { Bed } from "./bed.ts";
import type { FakeRun } from "./fake-run.ts";

/** What a new session's first run is told. */
export function newSession(): Pick<RunOrder, "conversation"> {
  return { conversation: { sdk_session_id: randomUUID(), resume: null } };
}

/** The files of the conversation as runs have said it, by name; the agent's own first. */
export function filesOf(runs: readonly FakeRun[]): Map<string | null, string> {
  const files = new Map<string | null, string>();
  for (const { body } of runs.flatMap(({ stored }) => stored)) {
    if (body.kind === "conversation") files.set(body.file, (files.get(body.file) ?? "") + body.text);
  }
  return new Map([...files].toSorted(([one], [other]) => (one ?? "").localeCompare(other ?? "")));
}

/** Entries of the agent's own file. */
export function entriesOf(...runs: FakeRun[]): { type: string; [key: string]: unknown }[] {
  const text = filesOf(runs).get(null) ?? "";
  return text.split("\n").flatMap((line) => (line === "" ? [] : [JSON.parse(line)]));
}

/**
 * The next run of the session that these runs, in their order, belong to. The model goes on in the first run's script.
 * @param message what the agent is told. @param changes of what it goes on from, and of its order.
 */
export function goOn(
  bed: Bed,
  runs: readonly [FakeRun, ...FakeRun[]],
  message: string,
  changes: { order?: Partial<RunOrder>; resume?: Partial<Resume>; workspace?: Buffer } = {},
): FakeRun {
  const [first] = runs;
  const last = runs.at(-1) ?? first;
  const files = filesOf(runs);
  const resume: Resume = {
    sdk_version: SDK_VERSION,
    files: [...files].map(([file, text]) => ({ file, bytes: byteLength(text) })),
    calls: lastCalls(
      last.events.map((event, index) => ({
        ...event,
        seq: index + 1,
        at: "2026-11-29T00:00:00.000Z",
        session_id: last.order.session_id,
        run_id: last.order.run_id,
      })),
      "",
    ),
    workspace: workspaceOf(last),
    ...changes.resume,
  };
  const { session_id, conversation, repositories, model } = first.order;
  const run = bed.run([], [], {
    session_id,
    repositories,
    model,
    conversation: { sdk_session_id: conversation?.sdk_session_id ?? "", resume },
    task: message,
    ...changes.order,
  });
  const workspace = changes.workspace ?? bed.instance.workspaces.get(last.order.run_id) ?? null;
  bed.instance.earlier.set(run.order.run_id, { texts: [...files.values()], workspace });
  return run;
}

function workspaceOf(run: FakeRun): Resume["workspace"] {
  const kept = run.stored.flatMap(({ body }) => (body.kind === "workspace" ? [body] : [])).at(-1);
  if (kept === undefined) return null;
  const { kind: _kind, ...workspace } = kept;
  return { ...workspace, is_latest: true };
}
