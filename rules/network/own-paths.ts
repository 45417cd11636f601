/**
 * Which paths of its instance a run may ask for: its own link and the calls of its runner beside it, its own proxies, and what its
 * runner keeps of a setup script, of the conversation and of the workspace, and nothing that only looks like one.
 */
import { conversationPath, workspacePath } from "#protocol/conversation.ts";
import { isRunnerCall, runnerCallPath } from "#protocol/runner-calls.ts";
import { SETUP_KEY, setupPath } from "#protocol/setup-archive.ts";

/** What an own path is for. */
export type OwnPathKind = "link" | "proxy" | "setup" | "conversation" | "workspace" | "call";

const FILE_NUMBER = /^(?:0|[1-9][0-9]{0,4})$/;
const MAX_LENGTH = 8_192;
/**
 * None of a run's own paths needs an escape, an empty segment, a backslash or a dot segment: programs on the way read those
 * in different ways, so a path that has one is nobody's. A segment begins with neither a dot nor a hyphen.
 */
const PLAIN_SEGMENTS = /^[A-Za-z0-9_][A-Za-z0-9_.~-]*(?:\/[A-Za-z0-9_][A-Za-z0-9_.~-]*)*$/;
/** Printable, and no second `?` or `#`. What a query may say is up to whoever answers the path. */
const PLAIN_QUERY = /^[!-"$->@-~]*$/;

/**
 * @param target a path with its query, as it was sent: it is compared letter for letter, so upper and lower case differ.
 * @returns null for every path but those below `/proxy/{run_id}/`, and of `/runner/runs/{run_id}` those of its link, its setup
 * script, its conversation, its workspace, and the calls of `protocol/runner-calls.ts`.
 */
export function ownPathKind(target: string, runId: string): OwnPathKind | null {
  if (target === `/runner/runs/${runId}/link`) return "link";
  const beforeKey = setupPath(runId, "");
  if (target.startsWith(beforeKey)) return SETUP_KEY.test(target.slice(beforeKey.length)) ? "setup" : null;
  if (target === workspacePath(runId)) return "workspace";
  const beforeNumber = conversationPath(runId, "");
  if (target.startsWith(beforeNumber))
    return FILE_NUMBER.test(target.slice(beforeNumber.length)) ? "conversation" : null;
  const beforeCall = runnerCallPath(runId, "");
  if (target.startsWith(beforeCall)) return isRunnerCall(target.slice(beforeCall.length)) ? "call" : null;
  const prefix = `/proxy/${runId}/`;
  if (!target.startsWith(prefix) || target.length > MAX_LENGTH) return null;
  const [path = "", ...query] = target.slice(prefix.length).split(/\?(.*)/s, 2);
  return PLAIN_SEGMENTS.test(path) && query.every((text) => PLAIN_QUERY.test(text)) ? "proxy" : null;
}
