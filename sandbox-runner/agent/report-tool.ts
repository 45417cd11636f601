/** The runner's own tool for the agent: it reports whether its task was done. The last report counts. */
import { createSdkMcpServer, tool } from "@anthropic-ai/claude-agent-sdk";
import { z } from "zod";
import type { FrameBody } from "#protocol/runner-link.ts";

export type Report = NonNullable<Extract<FrameBody, { kind: "finished" }>["report"]>;

/** Tools of the runner's, which work outside of the sandbox. */
export type RunnerTools = NonNullable<Parameters<typeof createSdkMcpServer>[0]["tools"]>;

/** How a permission rule names all tools of the runner's. */
export const REPORT_SERVER = "mcp__reveille";
const SUMMARY_LIMIT = 10_000;

const DESCRIPTION =
  "Report how this run ended. Call it once, at the very end. result: done when the task is complete; nothing_to_do " +
  "when there was nothing to act on; blocked when something that you can't change kept you from completing it. " +
  "summary: a few sentences for the person who reads the run's result: what you did or found, and what is left.";

const input = { result: z.enum(["done", "nothing_to_do", "blocked"]), summary: z.string() };
const inputSchema = z.object(input);

/** The report that a call's input makes, or null when it makes none. */
export function reportOf(callInput: unknown): Report | null {
  const { data } = inputSchema.safeParse(callInput);
  return data === undefined ? null : { result: data.result, summary: data.summary.slice(0, SUMMARY_LIMIT) };
}

/** @param onReport is called with each report. @param others the runner's other tools for the agent. */
export function reportServer(onReport: (report: Report) => void, others: RunnerTools) {
  return createSdkMcpServer({
    name: "reveille",
    version: "1.0.0",
    // Always in the agent's list of tools, never behind a search for tools.
    alwaysLoad: true,
    tools: [
      tool("report_result", DESCRIPTION, input, async (call) => {
        const report = reportOf(call);
        if (report !== null) onReport(report);
        return { content: [{ type: "text", text: "Recorded." }] };
      }),
      ...others,
    ],
  });
}
