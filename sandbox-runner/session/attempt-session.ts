/** What an attempt has to do with the other runs of its session: it goes on from what they left, and leaves something itself. */
import { randomUUID } from "node:crypto";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { Options } from "@anthropic-ai/claude-agent-sdk";
import { type EarlierCall, WORKSPACE_SHA256, workspacePath } from "#protocol/conversation.ts";
import { type RunError, runError } from "#protocol/run-errors.ts";
import type { FrameBody, RunOrder } from "#protocol/runner-link.ts";
import type { RunnerEvent } from "#protocol/transcript.ts";
import { oneLine } from "../agent/outcome.ts";
import type { Clone } from "../git/clone-plan.ts";
import { askInstance, type InstanceAccess } from "../link/instance-request.ts";
import { ConversationMirror, type SendEntries } from "./conversation-mirror.ts";
import { packWorkspace } from "./keep-workspace.ts";
import { leftTree } from "./left-tree.ts";
import { restoreConversation, restoreWorkspace } from "./restore.ts";
import { SDK_VERSION } from "./sdk-version.ts";
import { missingWords, type Restored, toldText } from "./told.ts";
import { renameSides, type SessionPlace } from "./workspace.ts";

type Notice = Extract<RunnerEvent, { type: "notice" }>;

export interface AttemptSessionOptions {
  order: RunOrder;
  conversation: NonNullable<RunOrder["conversation"]>;
  instance: InstanceAccess;
  /** Where an archive may lie for a while, outside of what the agent sees. */
  folder: string;
  sendEntries: SendEntries;
  send(body: FrameBody): void;
}

export class AttemptSession {
  readonly #options: AttemptSessionOptions;
  readonly #mirror: ConversationMirror;
  #place: SessionPlace | null = null;
  #recordedAs: string | null = null;
  /** What the agent has to know before its task. */
  told = "";

  constructor(options: AttemptSessionOptions) {
    this.#options = options;
    this.#mirror = new ConversationMirror(options.sendEntries);
  }

  /** The agent's program was started before there was a run, and records its conversation under another name: nobody is told of that. */
  recordAs(sessionId: string): void {
    this.#recordedAs = sessionId;
    this.#mirror.rename(sessionId, this.#options.conversation.sdk_session_id);
  }

  /** How many entries of the conversation have been handed on. */
  get entries(): number {
    return this.#mirror.entries;
  }

  /** How the agent's program is started. */
  get agentOptions(): Pick<Options, "sessionId" | "resume" | "sessionStore" | "sessionStoreFlush"> {
    const { sdk_session_id: id, resume } = this.#options.conversation;
    const which = resume === null ? { sessionId: this.#recordedAs ?? id } : { resume: id };
    return { ...which, sessionStore: this.#mirror, sessionStoreFlush: "eager" };
  }

  /**
   * The clones are there: puts back what earlier runs have left.
   * @returns why the run can't go on, or its clones as they are now.
   */
  async begin(
    place: Omit<SessionPlace, "foreign">,
    signal: AbortSignal,
  ): Promise<{ ok: true; clones: Clone[] } | { ok: false; error: RunError }> {
    const { order, conversation, instance } = this.#options;
    const foreign = order.checkout?.is_fork === true ? place.clones.filter(isAbout(order)) : [];
    this.#place = { ...place, foreign: foreign.map(({ folder }) => folder) };
    const { resume, sdk_session_id: sdkSessionId } = conversation;
    if (resume === null) return { ok: true, clones: [...place.clones] };
    this.#step("Restoring the conversation and the workspace");
    const given = { instance, runId: order.run_id, sdkSessionId, resume, place: this.#place, signal };
    let forgotten: EarlierCall[] = [];
    try {
      forgotten = await restoreConversation(given);
    } catch (error) {
      return { ok: false, error: runError("conversation_unavailable", "clone", wordsOf(error)) };
    }
    const workspace = await restoreWorkspace(given);
    if (signal.aborted) return { ok: true, clones: [...place.clones] };
    const restored: Restored = {
      resume,
      workspace: place.folder.workspace,
      lost: workspace?.lost ?? [],
      isWorkspaceLost: workspace === null,
      fresh: foreign.map(
        ({ url }) => `${url} is freshly cloned, because the commit that this run is about comes from a fork.`,
      ),
      forgotten,
      commit: foreign.length === 0 ? (order.checkout?.commit ?? null) : null,
    };
    this.told = toldText(restored);
    this.#tellRestored(restored);
    const clones = place.clones.map((clone) => at(clone, workspace?.commits.get(clone.folder)));
    return { ok: true, clones: await Promise.all(clones.map((clone) => this.#withLeft(clone, signal))) };
  }

  async #withLeft(clone: Clone, signal: AbortSignal): Promise<Clone> {
    const place = this.#place;
    if (place === null || place.foreign.includes(clone.folder)) return clone;
    return { ...clone, left: await leftTree(place, clone, signal) };
  }

  /** The agent has ended. @param hasResult whether its program has told a result. */
  tellEnd(hasResult: boolean): void {
    if (!hasResult || this.#mirror.entries > 0) return;
    this.#notice("warning", "conversation_not_kept", NOT_KEPT);
  }

  /** The agent's program says that a part of the conversation was not taken in. */
  tellLost(error: string): void {
    const words = `A part of the conversation could not be kept: a later run of this session will not know of it. ${oneLine(error)}`;
    this.#notice("warning", "conversation_incomplete", words);
  }

  /** Nothing more of it is said: the attempt's last frame comes next. */
  close(): void {
    this.#mirror.close();
  }

  /**
   * Sends the workspace to the instance, for later runs of the session. Never throws.
   * @param signal ends all of it. @param packMs for what is done before it is sent, in milliseconds.
   */
  async keep({ signal, packMs }: { signal: AbortSignal; packMs: number }): Promise<void> {
    const place = this.#place;
    // Without a conversation nobody goes on from it.
    if (place === null || this.#mirror.entries === 0) return;
    const { conversation, folder } = this.#options;
    const file = join(folder, `${randomUUID()}.workspace`);
    try {
      if (this.#recordedAs !== null)
        await renameSides(place, this.#recordedAs, conversation.sdk_session_id, { deadlineMs: packMs, signal });
      const packing = AbortSignal.any([signal, AbortSignal.timeout(packMs)]);
      const sdkSessionId = conversation.sdk_session_id;
      const given = { place, sdkSessionId, file, deadlineMs: packMs, signal: packing };
      const { bytes, sha256, leftOut, leftOutCount } = await packWorkspace(given);
      await this.#sendFile(file, { bytes, sha256 }, signal);
      this.#options.send({
        kind: "workspace",
        archive: { bytes, sha256 },
        left_out: leftOut,
        left_out_count: leftOutCount,
      });
      if (leftOutCount > 0) this.#notice("warning", "workspace_cut", cutWords(leftOut, leftOutCount));
    } catch (error) {
      this.#notice("warning", "workspace_not_kept", `${WORKSPACE_LOST} ${wordsOf(error)}`);
    } finally {
      await rm(file, { force: true }).catch(() => {});
    }
  }

  async #sendFile(file: string, { bytes, sha256 }: { bytes: number; sha256: string }, signal: AbortSignal) {
    const { instance, order } = this.#options;
    const headers = { "content-length": String(bytes), [WORKSPACE_SHA256]: sha256 };
    const path = workspacePath(order.run_id);
    const { status } = await askInstance(instance, { method: "PUT", path, headers, signal, file });
    if (status !== 204) throw new Error(`The instance answered ${status}.`);
  }

  #tellRestored(restored: Restored): void {
    const { sdk_version } = restored.resume;
    if (sdk_version !== SDK_VERSION) {
      const words = `The conversation was written by version ${sdk_version} of the agent's program, and goes on with ${SDK_VERSION}.`;
      this.#notice("info", "conversation_version", words);
    }
    const missing = missingWords(restored);
    if (missing.length > 0) this.#notice("warning", "workspace_restored_in_part", missing.join(" "));
    if (restored.forgotten.length === 0) return;
    const calls = restored.forgotten.map(({ name }) => name).join(", ");
    const words = `The earlier run was cut off before its agent's program had written down its last calls of tools (${calls}). The agent is told of them.`;
    this.#notice("warning", "calls_not_in_conversation", words);
  }

  #step(message: string): void {
    this.#options.send({ kind: "event", event: { type: "run.step", phase: "clone", message } });
  }

  #notice(level: Notice["level"], code: string, message: string): void {
    this.#options.send({ kind: "event", event: { type: "notice", level, code, message } });
  }
}

const NOT_KEPT =
  "Nothing of the agent's conversation came to the runner, so a later run of this session begins anew. Please report this: the agent's program writes its conversation elsewhere, or not at all.";
const WORKSPACE_LOST =
  "The workspace of this run could not be kept: a later run of this session goes on without its files.";

function cutWords(leftOut: readonly string[], count: number): string {
  const more = count > leftOut.length ? ` and ${count - leftOut.length} more` : "";
  return `Of the workspace these are not kept for later runs of this session, because they are too large or no plain files: ${leftOut.join(", ")}${more}.`;
}

function at(clone: Clone, commit: string | undefined): Clone {
  return commit === undefined ? clone : { ...clone, commit };
}

/** The clone that was made at the commit which the run is about. */
function isAbout({ checkout }: RunOrder): (clone: Clone) => boolean {
  return ({ commit }) => checkout !== null && commit === checkout.commit;
}

function wordsOf(error: unknown): string {
  return oneLine(error instanceof Error ? error.message : String(error));
}
