/**
 * The bare Agent SDK, alone in a container of the runner's image: says `first words` when the agent begins to speak, and asks for
 * TELL_URL if there is one.
 */
import { type Options, query } from "@anthropic-ai/claude-agent-sdk";

const { MODEL_URL: modelUrl = "", MODEL: model = "", TASK: task = "", TELL_URL: tellUrl } = process.env;
const options: Options = {
  cwd: "/tmp",
  model,
  includePartialMessages: true,
  settingSources: ["project"],
  env: {
    PATH: process.env["PATH"] ?? "",
    HOME: "/tmp",
    ANTHROPIC_BASE_URL: modelUrl,
    ANTHROPIC_AUTH_TOKEN: "unused",
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1",
    DISABLE_AUTOUPDATER: "1",
    IS_SANDBOX: "1",
  },
};
for await (const message of query({ prompt: task, options })) {
  const isSpeech = message.type === "assistant" || message.type === "stream_event";
  const isText = message.type !== "stream_event" || message.event.type === "content_block_delta";
  if (isSpeech && isText) {
    process.stdout.write("first words\n");
    if (tellUrl !== undefined) await fetch(tellUrl);
    break;
  }
}
process.exit(0);
