/** What the tests' runners are told to do, unless a test says otherwise. */
import { type AttemptEnvironment, DEFAULT_ENVIRONMENT_ID } from "#protocol/environment.ts";
import type { IdMaker } from "#protocol/ids.ts";
import type { RunOrder } from "#protocol/runner-link.ts";
import { NO_TOOL_POLICY } from "#protocol/tools.ts";

const DEADLINE_MS = 60_000;

/** What every run of the tests has in its variable `SECRET`, as of `{{SECRET}}`. It may be nowhere but in the run's sandbox. */
export const RUN_SECRET = "canary-of-the-runs/+0123456789";

/** The environment `default` as the tests have it. */
export const ENVIRONMENT: AttemptEnvironment = {
  id: DEFAULT_ENVIRONMENT_ID,
  name: "default",
  revision: 1,
  network: { level: "none", allow: [] },
  variables: { SECRET: RUN_SECRET },
  secret_values: [RUN_SECRET],
  setup: null,
};

/** @param key of the script that the model follows. @param repositories their names in the upstream. */
export function runOrder(
  ids: IdMaker,
  key: string,
  repositories: readonly string[],
  changes: Partial<RunOrder> = {},
): RunOrder {
  const now = Date.now();
  return {
    run_id: ids.make("run", now),
    session_id: ids.make("session", now),
    session_url: "http://localhost:8787/sessions/one",
    generation: 1,
    routine_name: "test",
    task: `Follow script ${key}.`,
    model: "claude-test-model",
    mcp_servers: [],
    mcp_addresses: {},
    other_models: [],
    demo_model: false,
    repositories: repositories.map((name) => ({ url: `https://code.example.com/${name}` })),
    checkout: null,
    turns: 50,
    timeout_ms: 2 * DEADLINE_MS,
    clone_deadline_ms: DEADLINE_MS,
    setup_deadline_ms: DEADLINE_MS,
    agent_start_deadline_ms: DEADLINE_MS,
    background_wait_ms: DEADLINE_MS,
    hook_deadline_ms: DEADLINE_MS,
    takes: [],
    environment: ENVIRONMENT,
    tools: NO_TOOL_POLICY,
    asks: true,
    answer: null,
    continues: null,
    ...changes,
  };
}

/** An environment with a setup script, and without a secret: what the script makes is not kept where there is one. */
export function environmentWith(script: string, changes: Partial<AttemptEnvironment> = {}): AttemptEnvironment {
  return {
    ...ENVIRONMENT,
    variables: {},
    secret_values: [],
    setup: { script, cache_key: crypto.randomUUID() },
    ...changes,
  };
}
