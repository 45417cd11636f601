/** Pure: an event of a transcript as short lines for a terminal. */
import type { Answer } from "#protocol/question.ts";
import type { TranscriptEvent } from "#protocol/transcript.ts";
import { printableLine } from "#scripts/terminal.ts";

const WIDTH = 100;
const RESULT_LINES = 4;
const LABEL_WIDTH = 13;
const LABEL_LENGTH = 40;

/** @param startedAt Unix milliseconds: times count from here. */
export function transcriptLines(event: TranscriptEvent, startedAt: number): string[] {
  const { label, lines } = describe(event);
  const seconds = Math.max(0, (Date.parse(event.at) - startedAt) / 1_000).toFixed(1);
  const head = `${seconds.padStart(6)} s  ${cut(printableLine(label), LABEL_LENGTH).padEnd(LABEL_WIDTH)}  `;
  const indent = " ".repeat(head.length);
  return lines.map((line, index) => `${index === 0 ? head : indent}${cut(printableLine(line), WIDTH)}`.trimEnd());
}

function describe(event: TranscriptEvent): { label: string; lines: string[] } {
  switch (event.type) {
    case "run.queued":
      return { label: "queued", lines: [event.summary] };
    case "run.starting":
      return { label: "starting", lines: [event.attempt > 1 ? `attempt ${event.attempt}` : ""] };
    case "run.step":
      return { label: event.phase, lines: [event.message] };
    case "run.running":
      return { label: "running", lines: [`${event.model}, sandbox: ${event.sandbox}`] };
    case "run.waiting":
      return {
        label: "waiting",
        lines: [
          event.until === null ? `for ${event.for}` : `for ${event.for}, until ${event.until}`,
          ...(event.question === undefined ? [] : [event.question.text]),
        ],
      };
    case "question.answered":
      return { label: "answered", lines: [answerWords(event.answer)] };
    case "run.continued":
      return { label: "goes on", lines: [`after ${event.after}`] };
    case "run.interrupted":
      return { label: "interrupted", lines: [`by ${event.by.name}`] };
    case "notice":
      return { label: event.level === "warning" ? "warning" : "notice", lines: [event.message] };
    case "user.message":
      return { label: event.source, lines: firstLines(event.text, 1) };
    case "agent.message":
      return { label: "agent", lines: event.text.split("\n").map(printableLine).flatMap(wrap) };
    case "agent.thinking":
      return { label: "thinking", lines: firstLines(event.text, 1) };
    case "tool.call":
      return { label: shortName(event.name), lines: firstLines(callText(event.input), RESULT_LINES) };
    case "tool.result":
      return { label: event.is_error ? "  failed" : "  gave", lines: firstLines(event.text, RESULT_LINES) };
    case "setup.output":
      return { label: "  wrote", lines: firstLines(event.text, RESULT_LINES) };
    case "usage":
      return { label: "usage", lines: [`${event.usage.input_tokens} tokens in, ${event.usage.output_tokens} out`] };
    case "git.push":
      return { label: "pushed", lines: [`${event.branch} at ${event.commit.slice(0, 12)}`] };
    case "pull_request":
      return { label: event.change ?? "opened", lines: [event.url] };
    case "comment":
      return { label: event.kind, lines: [event.url] };
    case "artifact":
      return { label: "shows", lines: [`${event.name}, ${event.bytes} bytes`] };
    case "run.cancel_requested":
      return { label: "canceling", lines: [event.reason] };
    case "run.finished":
      return {
        label: event.status,
        lines: [event.result, ...firstLines(event.error?.message ?? event.summary ?? "", 1)],
      };
  }
}

/** `mcp__reveille__report_result` → `report_result` */
function shortName(name: string): string {
  return name.split("__").at(-1) ?? name;
}

/** The part of a tool's input that tells most. */
function callText(input: unknown): string {
  if (typeof input === "string") return input;
  if (typeof input !== "object" || input === null) return JSON.stringify(input);
  const telling = ["command", "file_path", "summary"].map((key) => new Map(Object.entries(input)).get(key));
  const found = telling.find((value) => typeof value === "string");
  return typeof found === "string" ? found : JSON.stringify(input);
}

function firstLines(text: string, count: number): string[] {
  const lines = text.trim().split("\n");
  return lines.length <= count ? lines : [...lines.slice(0, count), `… ${lines.length - count} more lines`];
}

/** Breaks a line between words. */
function wrap(line: string): string[] {
  return line.match(new RegExp(`.{1,${WIDTH}}(?= |$)|\\S+`, "gs"))?.map((part) => part.trim()) ?? [""];
}

function cut(line: string, width: number): string {
  return line.length <= width ? line : `${line.slice(0, width - 1)}…`;
}

function answerWords({ choice, text, approve, by }: Answer): string {
  const said = [approve === undefined ? "" : approve ? "approved" : "refused", choice ?? text ?? ""].filter(
    (one) => one !== "",
  );
  return `${by?.name ?? "nobody in time"}: ${said.join(", ") || "no answer"}`;
}
