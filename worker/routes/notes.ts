/** Notes of a routine, for people. */
import { z } from "zod";
import { refuse } from "#protocol/errors.ts";
import { routineIdSchema } from "#protocol/ids.ts";
import { noteInputSchema, noteListSchema, noteNameSchema, noteRevisionsSchema, noteSchema } from "#protocol/note.ts";
import { actorOf } from "../auth/authenticate.ts";
import { endpoint } from "../http/endpoint.ts";
import type { App } from "../http/http-env.ts";
import { routineParams } from "./inputs.ts";

const noteParams = z.object({ id: routineIdSchema, name: noteNameSchema });
const all = { path: "/api/v1/routines/{id}/notes", tag: "Routines", params: routineParams } as const;
const one = { path: "/api/v1/routines/{id}/notes/{name}", tag: "Routines", params: noteParams } as const;

export function mountNotes(app: App): void {
  mountReads(app);
  endpoint(
    app,
    {
      ...one,
      method: "put",
      needs: "routines:write",
      id: "writeNote",
      refuses: ["note_changed", "too_many_notes"],
      summary: "Write a note of a routine",
      description: "Makes the note, or a new revision of it. The text that is there already makes none.",
      body: { schema: noteInputSchema, optional: false },
      answer: { status: 200, schema: noteSchema },
    },
    async ({ c, principal, params: { id, name }, body }) => {
      if (principal === null) return refuse("authentication_required");
      return c.var.deps.ownerOf(id).writeNote(name, body, actorOf(principal));
    },
  );
  endpoint(
    app,
    {
      ...one,
      method: "delete",
      needs: "routines:write",
      id: "removeNote",
      refuses: ["note_changed"],
      summary: "Remove a note of a routine, with its revisions",
      answer: { status: 204 },
    },
    async ({ c, params: { id, name } }) => c.var.deps.ownerOf(id).removeNote(name),
  );
}

function mountReads(app: App): void {
  const read = { method: "get", needs: "routines:read" } as const;
  endpoint(
    app,
    {
      ...all,
      ...read,
      id: "listNotes",
      summary: "List the notes of a routine",
      description: "In the order of their names, without their texts.",
      answer: { status: 200, schema: noteListSchema },
    },
    async ({ c, params }) => c.var.deps.ownerOf(params.id).notes(),
  );
  endpoint(
    app,
    {
      ...one,
      ...read,
      id: "readNote",
      summary: "Read a note of a routine",
      answer: { status: 200, schema: noteSchema },
    },
    async ({ c, params: { id, name } }) => c.var.deps.ownerOf(id).readNote(name),
  );
  endpoint(
    app,
    {
      ...one,
      ...read,
      path: `${one.path}/revisions`,
      id: "listNoteRevisions",
      summary: "Read the newest revisions of a note",
      answer: { status: 200, schema: noteRevisionsSchema },
    },
    async ({ c, params: { id, name } }) => c.var.deps.ownerOf(id).noteRevisions(name),
  );
}
