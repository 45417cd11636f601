/** The runner's tool of a run that another run has woken: what its agent thinks of that run's work. */
import { tool } from "@anthropic-ai/claude-agent-sdk";
import { z } from "zod";
import { VERDICT_WHY_LIMIT, verdictWordSchema } from "#protocol/verdict.ts";
import type { InstanceCalls } from "../link/instance-calls.ts";

const input = { verdict: verdictWordSchema, why: z.string().max(VERDICT_WHY_LIMIT).optional() };

const DESCRIPTION =
  "Give a verdict on the run that woke this one, if your task is to review it: whether its work was of use, " +
  "and why, for people and for later runs. A second verdict takes the place of the first. It can be given on no other run.";

/** @param scrub takes secrets out of what the agent writes. */
export function verdictTool(calls: Pick<InstanceCalls, "call">, scrub: (text: string) => string) {
  return tool("give_verdict", DESCRIPTION, input, async ({ verdict, why = "" }) => {
    const said = scrub(why).trim();
    const called = await calls.call("PUT", "verdict", said === "" ? { verdict } : { verdict, why: said });
    return called.ok
      ? { content: [{ type: "text", text: `Recorded: ${verdict}.` }] }
      : { content: [{ type: "text", text: called.why }], isError: true };
  });
}
