/** Pure: the item of an event that is an item by itself. */
import type { TranscriptEvent } from "#protocol/transcript.ts";
import type { Cut, Item } from "./item-types.ts";

export type EventOf<Type extends TranscriptEvent["type"]> = Extract<TranscriptEvent, { type: Type }>;

/** What the instance gives out to be shown: `SHOWN_IMAGES` of `protocol/artifact.ts`. */
const IMAGES = ["image/png", "image/jpeg", "image/gif", "image/webp"];

/** Everything but what belongs to a run's beginning and the results of tools. */
export function plainItem(event: TranscriptEvent, key: string): Item {
  const base = { key, seqs: [event.seq], runId: event.run_id, atMs: Date.parse(event.at) };
  switch (event.type) {
    case "user.message":
      return {
        ...base,
        kind: "user",
        source: event.source,
        by: event.by?.name ?? null,
        isUndelivered: event.undelivered === true,
        text: event.text,
        cut: cutOf(event),
      };
    case "agent.message":
      return { ...base, kind: "agent", text: event.text, cut: cutOf(event), writing: false, partial: false };
    case "agent.thinking":
      return { ...base, kind: "thinking", text: event.text, cut: cutOf(event), writing: false, partial: false };
    case "tool.call":
      return {
        ...base,
        kind: "tool",
        toolCallId: event.tool_call_id,
        parent: event.parent ?? null,
        name: event.name,
        input: event.input,
        inputCut: cutOf(event),
        state: "running",
        result: null,
      };
    case "notice":
      return {
        ...base,
        kind: "notice",
        level: event.level,
        code: event.code,
        message: event.message,
        cut: cutOf(event),
      };
    case "run.step":
      return { ...base, kind: "step", message: event.message };
    case "run.waiting": {
      const { for: what, until, question = null } = event;
      return { ...base, kind: "wait", what, until, question, answer: null, isOpen: true };
    }
    case "question.answered":
      return { ...base, kind: "answer", questionId: event.question_id, answer: event.answer };
    case "run.continued":
      return { ...base, kind: "continued" };
    case "run.interrupted":
      return { ...base, kind: "step", message: `Interrupted by ${event.by.name}: its turn has stopped` };
    case "git.push": {
      const { repository, branch, commit, previous } = event;
      return { ...base, kind: "push", repository, branch, commit, previous };
    }
    case "pull_request": {
      const { repository, branch, base: into, number, url, by, change = "opened" } = event;
      const who = by?.name ?? null;
      return { ...base, kind: "pull_request", repository, branch, base: into, number, url, by: who, change };
    }
    case "comment": {
      const { kind: of, repository, number, url } = event;
      return { ...base, kind: "comment", of, repository, number, url };
    }
    case "artifact": {
      const { session_id: sessionId, artifact_id: artifactId, name, bytes, media_type } = event;
      const isImage = IMAGES.includes(media_type);
      return { ...base, kind: "artifact", sessionId, artifactId, name, bytes, isImage };
    }
    case "usage":
      return { ...base, kind: "usage", usage: event.usage };
    case "run.cancel_requested":
      return { ...base, kind: "cancel", reason: event.reason };
    case "run.finished": {
      const { status, result, summary, error, cancel_reason: cancelReason, evidence, usage } = event;
      const isEvidenceMissing = event.evidence_missing === true;
      const end = { status, result, isEvidenceMissing, summary, error, cancelReason };
      return { ...base, kind: "finished", ...end, evidence, usage };
    }
    default:
      return { ...base, kind: "unknown", type: event.type };
  }
}

export function cutOf(event: { truncated?: true | undefined; bytes?: number | undefined }): Cut | null {
  return event.truncated ? { bytes: event.bytes ?? null } : null;
}
