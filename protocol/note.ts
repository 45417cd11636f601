/** Notes that the runs of one routine share, and people read and edit. */
import { z } from "zod";
import { actorSchema } from "./actor.ts";
import { runIdSchema } from "./ids.ts";
import { timestampSchema } from "./time.ts";
import { byteLength } from "./transcript.ts";

/** Of one routine. */
export const NOTES_LIMIT = 50;
/** Of one note, in bytes of UTF-8. */
export const NOTE_LIMIT_BYTES = 16_384;
/** How many revisions of a note are kept, the newest ones. */
export const NOTE_REVISIONS_KEPT = 10;

/** A file name without folders; no name has to be escaped in an address. */
export const NOTE_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
export const noteNameSchema = z
  .string()
  .regex(NOTE_NAME, "must be 1 to 64 letters, digits, dots, dashes or underscores, and begin with a letter or digit")
  .meta({ id: "NoteName", description: "A note's name: one note of a routine has it." });

const noteAuthorSchema = z
  .union([actorSchema, z.object({ kind: z.literal("run"), id: runIdSchema, name: z.string() })])
  .meta({ id: "NoteAuthor", description: "A person, or a run of the routine." });
export type NoteAuthor = z.infer<typeof noteAuthorSchema>;

/** A note as lists show it: without its text. */
export const listedNoteSchema = z
  .object({
    name: noteNameSchema,
    revision: z.int().min(1),
    bytes: z.int().min(1),
    author: noteAuthorSchema,
    at: timestampSchema,
  })
  .meta({ id: "ListedNote" });
export type ListedNote = z.infer<typeof listedNoteSchema>;

export const noteSchema = listedNoteSchema.extend({ text: z.string() }).meta({ id: "Note" });
export type Note = z.infer<typeof noteSchema>;

export const noteListSchema = z.object({ data: z.array(listedNoteSchema) }).meta({ id: "NoteList" });
export type NoteList = z.infer<typeof noteListSchema>;
export const noteRevisionsSchema = z
  .object({ data: z.array(noteSchema) })
  .meta({ id: "NoteRevisions", description: "The newest first." });

export const noteInputSchema = z
  .strictObject({
    text: z
      .string()
      .min(1, "must say something; DELETE removes a note")
      .refine((text) => byteLength(text) <= NOTE_LIMIT_BYTES, `must be at most ${NOTE_LIMIT_BYTES} bytes of UTF-8`),
    if_revision: z.int().min(0).optional().meta({
      description: "Refused where the note has another revision by now; 0 where there must be no such note.",
    }),
  })
  .meta({ id: "NoteInput" });
export type NoteInput = z.infer<typeof noteInputSchema>;
