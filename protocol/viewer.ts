/** What a viewer and the routine's object say to each other over `/live`. */
import { z } from "zod";
import { messageIdSchema } from "./message.ts";
import { deltaSchema, transcriptEventSchema } from "./transcript.ts";

/** How much may be under way to a viewer without an acknowledgement. */
export const VIEWER_WINDOW = { events: 512, bytes: 1_048_576 } as const;
/** A viewer that acknowledges nothing for this long while something is under way is closed with 4408. */
export const VIEWER_STALL_MS = 60_000;
export const TICKET_LIFETIME_MS = 60_000;

export const CLOSE_CODES = {
  notAllowed: 4401,
  noSuchSession: 4404,
  tooSlow: 4408,
  badMessage: 1008,
  restarting: 1012,
} as const;

export const viewerMessageSchema = z
  .discriminatedUnion("type", [
    z.object({ type: z.literal("ack"), seq: z.int().min(0) }),
    z.object({ type: z.literal("message"), id: messageIdSchema, text: z.string() }),
    z.object({ type: z.literal("interrupt"), id: messageIdSchema }),
  ])
  .meta({ id: "ViewerMessage", description: "A message or an interrupt is answered with its id." });

export type ViewerMessage = z.infer<typeof viewerMessageSchema>;

export const liveMessageSchema = z
  .union([
    transcriptEventSchema,
    z.object({ type: z.literal("events"), events: z.array(transcriptEventSchema) }),
    z.object({
      type: z.literal("caught_up"),
      seq: z.int().min(0),
      active: z.boolean().meta({ description: "Whether a run of the session is on or queued." }),
    }),
    deltaSchema,
    z.object({ type: z.literal("accepted"), id: z.string() }),
    z.object({ type: z.literal("rejected"), id: z.string(), code: z.string(), message: z.string() }),
  ])
  .meta({ id: "LiveMessage", description: "One WebSocket message from the instance to a viewer." });
export type LiveMessage = z.infer<typeof liveMessageSchema>;
