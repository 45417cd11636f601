/** With which options the agent's program is started before there is a run: those of a run, as far as they are known. */
import { agentEnvironment, type ModelWay } from "../agent/agent-environment.ts";
import { fixedOptions } from "../agent/agent-options.ts";
import { reportServer } from "../agent/report-tool.ts";
import { runSettings } from "../agent/repository-settings.ts";
import { runTools } from "../agent/run-tools.ts";
import { ToolGate } from "../agent/tool-gate.ts";
import type { RunFolder } from "../process/run-folder.ts";
import type { Sandbox } from "../sandbox/sandbox.ts";
import { ConversationMirror } from "../session/conversation-mirror.ts";
import type { RepositoryCopy } from "./repository-copy.ts";
import type { Expected } from "./start-shape.ts";

export interface StartPlace {
  /** The mark of its processes. */
  mark: string;
  sandbox: Sandbox;
  /** As this machine has it. */
  folder: RunFolder;
  way: ModelWay;
}

const NOT_CALLED = { ok: false as const, status: null, why: "There is no run." };
const NO_CALLS = { call: async () => NOT_CALLED, send: async () => NOT_CALLED };

/** @param copy the copy of its repository; null where its runs have none. @param sessionId the name under which it records its conversation. */
export function startOptions(
  { shape }: Expected,
  copy: RepositoryCopy | null,
  sessionId: string,
  { sandbox, folder, mark, way }: StartPlace,
) {
  const cwd = copy?.folder ?? folder.workspace;
  const env = agentEnvironment(mark, { ...folder, home: sandbox.home ?? folder.home }, way, shape);
  const { tools: policy, model, asks } = shape;
  const gate = new ToolGate({ policy, asks, given: null, isLost: false, earlier: [], onAsked: () => {} });
  // No hook is bounded by that: a repository that has one gets no copy.
  const settings = runSettings({ text: copy?.settings ?? null, env, model, hookSeconds: 1, tools: policy });
  const ways = {
    calls: NO_CALLS,
    scrub: (text: string) => text,
    takeAnswer: () => null,
    place: { sandbox, cwd, env, signal: AbortSignal.abort() },
  };
  const { notes, shows, reviews } = shape;
  const definition = { hasNotes: notes !== undefined, asks, shows, reviews };
  return {
    ...fixedOptions(shape, copy?.told ?? "", gate),
    // The agent is told of these tools now; what is called are those of its run.
    mcpServers: { reveille: reportServer(() => {}, runTools(definition, ways)) },
    ...(shape.is_kept ? conversationOptions(sessionId) : {}),
    settings: settings.flags,
    ...(settings.managed === undefined ? {} : { managedSettings: settings.managed }),
    cwd,
    env,
  };
}

function conversationOptions(sessionId: string) {
  return { sessionId, sessionStore: new ConversationMirror(() => {}), sessionStoreFlush: "eager" as const };
}
