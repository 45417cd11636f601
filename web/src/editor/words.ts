/** Pure: the keys of a definition and their values, for people. */
import type { Draft } from "./draft.ts";

export const KEY_TITLES: Record<keyof Draft, string> = {
  name: "Name",
  prompt: "Prompt",
  model: "Model",
  repositories: "Repositories",
  push_prefix: "Beginning of branches",
  environment: "Environment",
  triggers: "Triggers",
  session: "Sessions",
  session_key: "Key of a session",
  overlap: "Overlap",
  max_concurrent: "Runs at once",
  runs_on: "Runs on",
  variables: "Variables",
  network: "More hosts",
  connectors: "Connectors",
  context_from: "Earlier runs",
  gate: "Gate",
  tools: "Tools",
  notify: "Notifications",
  limits: "Limits",
  retry: "Retries",
  tags: "Tags",
};

export function textOfValue(value: unknown): string {
  if (value === undefined || value === null) return "Not set";
  return typeof value === "string" ? value : JSON.stringify(value, null, 2);
}
