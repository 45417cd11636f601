/** The environment of what runs in the sandbox: a list of its own, nothing inherited, no secret but the proxy token. */
import { join } from "node:path";
import { isReservedVariable } from "#protocol/reserved-variables.ts";
import type { RunOrder } from "#protocol/runner-link.ts";
import { gitEnvironment } from "../git/git-settings.ts";
import { MARK_VARIABLE } from "../process/marked-processes.ts";
import type { RunFolder } from "../process/run-folder.ts";
import { SANDBOX_TOOLS } from "../sandbox/sandbox-config.ts";
import { PROJECT_FOLDER } from "../session/conversation-mirror.ts";

/** How often the agent asks the model again, with growing pauses, before its run ends with an error. */
const MODEL_RETRIES = 6;
/** How long it waits for the model's answer: what its program does by itself, and a repository does not decide. */
const MODEL_WAIT_MS = 600_000;

/** For every command inside. */
export function commandEnvironment(mark: string, folder: RunFolder): Record<string, string> {
  return {
    PATH: SANDBOX_TOOLS,
    HOME: folder.home,
    TMPDIR: folder.temporary,
    LANG: "C.UTF-8",
    SHELL: "/bin/bash",
    USER: "agent",
    [MARK_VARIABLE]: mark,
  };
}

/** For an environment's setup script, and for what it installs where programs of one user lie: found first, as in a login shell. */
export function setupEnvironment(mark: string, folder: RunFolder): Record<string, string> {
  return { ...commandEnvironment(mark, folder), PATH: installedTools(folder) };
}

function installedTools({ home }: RunFolder): string {
  return `${join(home, ".local", "bin")}:${SANDBOX_TOOLS}`;
}

/** What the environment and the routine set for programs in the sandbox: never what is the runner's own to set. */
export function givenVariables(environment: RunOrder["environment"]): Record<string, string> {
  const given = Object.entries(environment?.variables ?? {});
  return Object.fromEntries(given.filter(([name]) => !isReservedVariable(name)));
}

/** For cloning: only the relay, none of the agent's settings. */
export function cloneEnvironment(mark: string, folder: RunFolder): Record<string, string> {
  return {
    ...commandEnvironment(mark, folder),
    GIT_CONFIG_SYSTEM: join(folder.git, "config"),
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_TERMINAL_PROMPT: "0",
    GIT_ASKPASS: "true",
  };
}

/** How the agent's program asks its model. */
export interface ModelWay {
  url: string;
  token: string;
}

/** @param id the run's, or what stands for it. */
export function modelWay(relayUrl: string, id: string, token: string): ModelWay {
  return { url: `${relayUrl}/proxy/${id}/model`, token };
}

/** What tells the programs of a run which run it is. */
export function runVariables({ run_id, session_url }: Pick<RunOrder, "run_id" | "session_url">) {
  return { REVEILLE_RUN_ID: run_id, REVEILLE_SESSION_URL: session_url };
}

/** Without `runVariables`. */
export function agentEnvironment(
  mark: string,
  folder: RunFolder,
  way: ModelWay,
  order: Pick<RunOrder, "model" | "other_models">,
): Record<string, string> {
  return {
    ...setupEnvironment(mark, folder),
    ...gitEnvironment(folder.git),
    PATH: `${folder.tools}:${installedTools(folder)}`,
    ANTHROPIC_BASE_URL: way.url,
    ANTHROPIC_AUTH_TOKEN: way.token,
    // Settings of the repository then can't change how the model is reached, also not while the run is on.
    CLAUDE_CODE_PROVIDER_MANAGED_BY_HOST: "1",
    ANTHROPIC_MODEL: order.model,
    ANTHROPIC_SMALL_FAST_MODEL: order.model,
    ...familyModels([order.model, ...order.other_models]),
    // The routine's model as it is named, not a newer one, and no other one that it had not asked for.
    CLAUDE_CODE_DISABLE_LEGACY_MODEL_REMAP: "1",
    CLAUDE_CODE_DISABLE_REFUSAL_FALLBACK: "1",
    CLAUDE_CODE_MAX_RETRIES: String(MODEL_RETRIES),
    API_TIMEOUT_MS: String(MODEL_WAIT_MS),
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1",
    CLAUDE_CODE_TMPDIR: folder.temporary,
    CLAUDE_CONFIG_DIR: join(folder.home, ".claude"),
    CLAUDE_CODE_PROJECT_DIR_NAME: PROJECT_FOLDER,
    CLAUDE_CODE_REMOTE: "true",
    // The agent's program then says when it has nothing left to do by itself.
    CLAUDE_CODE_EMIT_SESSION_STATE_EVENTS: "1",
    DISABLE_AUTOUPDATER: "1",
    // The agent's program refuses to skip permission questions as root unless it is told that it is shut in.
    IS_SANDBOX: "1",
  };
}

/**
 * What a subagent gets that names a family of models: the first of that family which the run may use. Where it has none,
 * the agent's program asks for the family's newest, and the worker's proxy has the routine's own answer, and says so.
 */
function familyModels(models: readonly string[]): Record<string, string> {
  const families = ["FABLE", "HAIKU", "OPUS", "SONNET"];
  return Object.fromEntries(
    families.flatMap((family) => {
      const model = models.find((name) => name.toLowerCase().includes(family.toLowerCase()));
      return model === undefined ? [] : [[`ANTHROPIC_DEFAULT_${family}_MODEL`, model]];
    }),
  );
}

/** As processes are started with it. */
export function definedOnly(env: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const entries = Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return Object.fromEntries(entries);
}
