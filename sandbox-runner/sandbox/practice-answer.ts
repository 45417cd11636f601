/** What the relay answers a program in a model's place that practises for a run: a few words, for which nobody has been asked. Pure. */

const WORDS = "Well practised.";
const NO_TOKENS = { input_tokens: 0, output_tokens: 0 };

/** A stream of the Messages API. @param model that was asked for. */
export function practiceAnswer(model: string): string {
  const message = { id: "msg_practice", type: "message", role: "assistant", model, content: [], ...NOT_STOPPED };
  const events = [
    { type: "message_start", message: { ...message, usage: NO_TOKENS } },
    { type: "content_block_start", index: 0, content_block: { type: "text", text: "" } },
    { type: "content_block_delta", index: 0, delta: { type: "text_delta", text: WORDS } },
    { type: "content_block_stop", index: 0 },
    { type: "message_delta", delta: { ...NOT_STOPPED, stop_reason: "end_turn" }, usage: NO_TOKENS },
    { type: "message_stop" },
  ];
  return events.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join("");
}

const NOT_STOPPED = { stop_reason: null, stop_sequence: null };
