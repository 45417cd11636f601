/** What people say to a session: messages for its agent, and interrupts of its turn. */
import { z } from "zod";
import { atMost } from "./characters.ts";
import { runIdSchema, sessionIdSchema } from "./ids.ts";

/** In characters, as the text of a fire. */
export const MESSAGE_TEXT_LIMIT = 65_536;
/** How many may wait for one run's agent. */
export const MESSAGES_WAITING = 100;
/** And how long they may be together, in characters: they go together into one task. */
export const MESSAGES_WAITING_LENGTH = 400_000;
export const MESSAGE_ID_LIMIT = 255;

/** The sender's own: in a session the same id counts once. */
export const messageIdSchema = z.string().min(1).check(atMost(MESSAGE_ID_LIMIT));

/** No model takes one that is blank. */
export const messageTextSchema = z
  .string()
  .check(atMost(MESSAGE_TEXT_LIMIT, `must be at most ${MESSAGE_TEXT_LIMIT} characters`))
  .regex(/\S/, "must have something in it that is not blank");

export const messageInputSchema = z
  .object({
    text: messageTextSchema,
    id: messageIdSchema.optional().meta({
      description: "Chosen by the sender: the same id in a session counts once, whoever sends it. Drawn when left out.",
    }),
  })
  .meta({ id: "MessageInput" });

export const interruptInputSchema = z
  .object({ id: messageIdSchema.optional().meta({ description: "As the id of a message." }) })
  .meta({ id: "InterruptInput" });

/** What became of a message or an interrupt. */
export const messageAnswerSchema = z
  .object({
    id: messageIdSchema,
    session_id: sessionIdSchema,
    run_id: runIdSchema.meta({
      description: "The run that gets it: the one that is on, or the one that it has started.",
    }),
    duplicate: z.boolean().meta({ description: "Whether the same id had come before: then nothing new has happened." }),
  })
  .meta({ id: "MessageAnswer" });
export type MessageAnswer = z.infer<typeof messageAnswerSchema>;
