/** The deadline of a repository's hooks: its own `timeout`, as long as the run can bear it. No I/O. */

import type { Settings } from "@anthropic-ai/claude-agent-sdk";
import { z } from "zod";
import { ownValue } from "#protocol/own-value.ts";

export interface BoundedHooks {
  /** The hooks that would take too long, with a shorter timeout; undefined when there are none. */
  settings: Settings["hooks"];
  /** Those of them whose own timeout is longer, for people. */
  shortened: string[];
}

/** What the agent's program gives a hook without a timeout, in seconds; other types have less than any bound of ours. */
const DEFAULT_SECONDS: Readonly<Record<string, number>> = {
  command: 600,
  http: 600,
  mcp_tool: 600,
  prompt: 30,
  agent: 60,
};
/** Hooks of this event are bounded by the end of the run. */
const ENDING_EVENT = "SessionEnd";

const hook = z.looseObject({
  type: z.string(),
  timeout: z.number().positive().optional().catch(undefined),
  async: z.boolean().optional().catch(undefined),
});
const group = z.looseObject({ matcher: z.string().optional(), hooks: z.array(z.unknown()) });

/**
 * The agent's program runs a hook once that two sources give it with the same command, with the timeout of the source that
 * outranks: so each hook that would take too long is given again.
 * @param hooks the value of `hooks` in a settings file, whatever it is.
 */
export function boundedHooks(hooks: unknown, seconds: number): BoundedHooks {
  const events = z.record(z.string(), z.array(z.unknown()).catch([])).safeParse(hooks);
  const shortened: string[] = [];
  const bounded = new Map<string, object[]>();
  for (const [event, groups] of Object.entries(events.success ? events.data : {})) {
    if (event === ENDING_EVENT) continue;
    for (const one of groups) {
      const parsed = group.safeParse(one);
      if (!parsed.success) continue;
      const long = parsed.data.hooks.flatMap((candidate) => {
        const { data } = hook.safeParse(candidate);
        if (data === undefined || data.async === true) return [];
        const own = data.timeout ?? ownValue(DEFAULT_SECONDS, data.type) ?? 0;
        if (own <= seconds) return [];
        if (data.timeout !== undefined) shortened.push(`the timeout of a ${event} hook (${data.timeout} s)`);
        return [{ ...data, timeout: seconds }];
      });
      if (long.length > 0) bounded.set(event, [...(bounded.get(event) ?? []), { ...parsed.data, hooks: long }]);
    }
  }
  const settings = bounded.size === 0 ? undefined : (Object.fromEntries(bounded) as NonNullable<Settings["hooks"]>);
  return { settings, shortened };
}
