/** Repositories that bring settings of Claude Code along. */
import type { Bed } from "./bed.ts";
import { seedUpstream } from "./upstream.ts";

/** A repository of that name with a `.claude/settings.json`, and other files. */
export function seedSettings(bed: Bed, name: string, settings: unknown, files: Record<string, string> = {}): void {
  const text = typeof settings === "string" ? settings : JSON.stringify(settings);
  seedUpstream(bed.upstream, name, { "README.md": "# Team\n", ".claude/settings.json": text, ...files });
}

/** Hooks of one event: each a shell command, for all tools or those that match. */
export function commandHook(command: string, more: { matcher?: string; timeout?: number } = {}): object {
  const { matcher, ...hook } = more;
  return { ...(matcher === undefined ? {} : { matcher }), hooks: [{ type: "command", command, ...hook }] };
}
