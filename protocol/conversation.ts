/**
 * The agent's conversation, as its own program records it, and the workspace as a run has left it: what a later run of the
 * session goes on from. Both are as secret as the repositories: they are kept, and shown by nothing.
 */
import { z } from "zod";

/** What is carried in one frame at most, in UTF-16 code units: a longer entry takes several. */
export const CONVERSATION_PIECE = 200_000;
/** Of one workspace, as it is sent. */
export const WORKSPACE_LIMIT_BYTES = 50 * 1_024 ** 2;
/** How many names of what was left out of a workspace are told. */
export const LEFT_OUT_NAMED = 20;

/** Part of a path below the conversation's folder, without dots at its beginning. */
const SEGMENT = "[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}";
/** A subagent's conversation lies in a file of its own, for instance `subagents/agent-1.jsonl`. */
export const conversationFileSchema = z
  .string()
  .max(300)
  .regex(new RegExp(`^${SEGMENT}(?:/${SEGMENT}){0,5}$`), "must be a plain path below the conversation's folder");

/** More of one of the conversation's files: whole lines when all pieces are joined. `file` is null for the agent's own. */
export const conversationPieceSchema = z.object({
  sdk_version: z.string().min(1).max(64),
  file: z.nullable(conversationFileSchema),
  text: z.string().min(1).max(CONVERSATION_PIECE),
});
export type ConversationPiece = z.infer<typeof conversationPieceSchema>;

/** What was left out of a workspace, because it was too large or could not be read. */
const leftOutSchema = z.object({
  /** In words for people, the first ones. */
  left_out: z.array(z.string().max(500)).max(LEFT_OUT_NAMED),
  left_out_count: z.int().min(0),
});
const archiveSchema = z.object({
  bytes: z.int().min(1).max(WORKSPACE_LIMIT_BYTES),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
});

/** The workspace has been sent, and is whole. `archive` is null where there was nothing to keep. */
export const workspaceKeptSchema = z.object({ ...leftOutSchema.shape, archive: z.nullable(archiveSchema) });
export type WorkspaceKept = z.infer<typeof workspaceKeptSchema>;

/** How many calls of tools are told of the last run. */
export const EARLIER_CALLS = 20;
const earlierCallSchema = z.object({
  tool_call_id: z.string().max(200),
  name: z.string().max(500),
  /** The beginning of its input, as JSON. */
  input: z.string().max(1_000),
});
export type EarlierCall = z.infer<typeof earlierCallSchema>;

/** What the runner is told of an earlier part of the conversation. */
export const resumeSchema = z.object({
  /** The version of the agent's program that wrote it last. */
  sdk_version: z.string(),
  /** What is to be there before the agent starts; the place in the list is the file's number in its path. */
  files: z.array(z.object({ file: z.nullable(conversationFileSchema), bytes: z.int().min(1) })).min(1),
  /** The last calls of tools that the transcript has: whoever was killed while they ran may not have written them down. */
  calls: z.array(earlierCallSchema).max(EARLIER_CALLS),
  /** Null where none was kept. */
  workspace: z.nullable(
    z.object({
      ...workspaceKeptSchema.shape,
      /** Whether it is as the last run of the conversation has left it: that of a machine that was lost is not kept. */
      is_latest: z.boolean(),
    }),
  ),
});
export type Resume = z.infer<typeof resumeSchema>;

/** In an order. */
export const orderedConversationSchema = z.object({
  /** The name under which the agent's program records it. */
  sdk_session_id: z.uuid(),
  /** Null for a new one. */
  resume: z.nullable(resumeSchema),
});

/** @param number the file's place in the order's list; empty for the beginning of all such paths. */
export function conversationPath(runId: string, number: number | ""): string {
  return `/runner/runs/${runId}/conversation/${number}`;
}

export function workspacePath(runId: string): string {
  return `/runner/runs/${runId}/workspace`;
}

/** In the answer, and in what is sent. */
export const WORKSPACE_SHA256 = "x-workspace-sha256";
