/** Pure: what an agent's transcript consists of, for the rows that need one. */
import type { RunnerEvent } from "#protocol/transcript.ts";

const WORDS =
  "The failing test expects the parser to keep a trailing comma, which the lexer drops one token too early. ";
const OUTPUT = '  at parse (src/parser.ts:118:9) { code: "E_TOKEN", expected: "," }\n';

/** In turn: a message of about 600 bytes, a tool call of about 200, its result of about 2,000. */
export function mixedEvent(index: number): RunnerEvent {
  const step = Math.floor(index / 3);
  if (index % 3 === 0) return saidEvent(index, "");
  const tool_call_id = `toolu_${String(step).padStart(20, "0")}`;
  if (index % 3 === 1) {
    const input = { command: `npm run test -- parser-${step}`, description: "Run the tests of the parser again" };
    return { type: "tool.call", tool_call_id, name: "Bash", input };
  }
  return { type: "tool.result", tool_call_id, is_error: false, text: OUTPUT.repeat(28) };
}

/** A message of about 600 bytes. @param mark begins its text. */
export function saidEvent(index: number, mark: string): RunnerEvent {
  const message_id = `msg_${String(index).padStart(20, "0")}`;
  return { type: "agent.message", message_id, text: mark + WORDS.repeat(5) };
}

/** A tool's result of so many bytes. */
export function longEvent(index: number, bytes: number): RunnerEvent {
  const text = OUTPUT.repeat(Math.ceil(bytes / OUTPUT.length));
  return { type: "tool.result", tool_call_id: `toolu_${index}`, is_error: false, text: text.slice(0, bytes) };
}
