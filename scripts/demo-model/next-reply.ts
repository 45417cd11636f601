/**
 * Pure: what the offline demo model says next. It has two scripts, and chooses by the saved prompt alone: nothing that
 * comes with a trigger changes what it does. Every step rests on what the tools really answered so far.
 */
import { changelogReply } from "./changelog-script.ts";
import { currentTurn } from "./conversation.ts";
import { type MessagesRequest, texts } from "./messages-request.ts";
import type { MessagePlan } from "./reply-wire.ts";
import { isReviewTask, reviewReply } from "./review-script.ts";
import { closingText, findReport, finish } from "./script-steps.ts";

/** What follows came with the trigger. */
const GIVEN = "<routine-fire-payload";

/** Decides the next reply from the request alone, so that any number of conversations can be under way. */
export function nextReply(request: MessagesRequest): MessagePlan {
  const tools = new Set(request.tools?.map(({ name }) => name));
  const isReview = savedPrompts(request).some(isReviewTask);
  // Side requests of the agent, a title for instance, come without tools.
  if (tools.size === 0) return { text: isReview ? "Review demo" : "Changelog demo" };
  const turn = currentTurn(request.messages);
  const report = findReport(turn);
  if (report !== undefined) return { text: closingText(report) };
  if (!tools.has("Bash")) return finish(tools, "blocked", "The offline demo model needs the Bash tool.");
  return isReview ? reviewReply(turn, tools) : changelogReply(turn, tools);
}

function savedPrompts({ messages }: MessagesRequest): string[] {
  return messages
    .filter(({ role }) => role === "user")
    .flatMap(texts)
    .map((text) => text.split(GIVEN, 1)[0] ?? "");
}
