/** Pure: what becomes of a message that is sent now, in words. */
import type { Run } from "#protocol/run.ts";
import type { WaitingFor } from "#protocol/waiting.ts";

interface Words {
  placeholder: string;
  hint: string;
  /** Of a message that has been sent. */
  pending: string;
}

export function whatAMessageDoes(run: Run): Words {
  if (run.cancel_requested_at !== null) return NEXT_RUN;
  switch (run.status) {
    case "queued":
    case "starting":
      return NOT_BEGUN;
    case "running":
      return STEERS;
    case "waiting":
      return WAITS[run.waiting.for];
    default:
      return NEXT_RUN;
  }
}

const STEERS: Words = {
  placeholder: "Tell the agent something",
  hint: "Reaches the agent at its next step.",
  pending: "Reaches the agent at its next step",
};
const NOT_BEGUN: Words = {
  placeholder: "Tell the agent something",
  hint: "The agent gets it when it begins.",
  pending: "The agent gets it when it begins",
};
const NEXT_RUN: Words = {
  placeholder: "Go on with this session",
  hint: "Starts a new run in this session: the agent remembers what was said and done.",
  pending: "Starts a new run",
};
const AFTER_ANSWER: Words = {
  placeholder: "Tell the agent something",
  hint: "The agent gets it after the answer to its question.",
  pending: "The agent gets it after the answer to its question",
};
const WAITS: Record<WaitingFor, Words> = {
  message: {
    placeholder: "Tell the agent how to go on",
    hint: "The agent waits for this, and goes on with it.",
    pending: "The agent goes on with it",
  },
  question: AFTER_ANSWER,
  approval: AFTER_ANSWER,
  budget: {
    placeholder: "Tell the agent something",
    hint: "The agent gets it when its budget has been raised and it goes on.",
    pending: "The agent gets it when its budget has been raised",
  },
};
