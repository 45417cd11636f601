/** Saves what has been written, and runs it where that is wanted. */

import { useQueryClient } from "@tanstack/react-query";
import type { Routine } from "#protocol/routine.ts";
import * as api from "../client/generated.ts";
import { useIdempotencyHeaders } from "../idempotency.ts";
import { keepAnswer } from "../keep-answer.ts";
import { routineQuery } from "../queries.ts";
import { useWrite } from "../write.ts";
import { type Draft, draftOf, patchOf } from "./draft.ts";

export interface Saving {
  draft: Draft;
  isRunWanted: boolean;
}

export interface Saved {
  routine: api.Routine;
  /** Of the run that was started; null where none was wanted, or it was refused. */
  sessionId: string | null;
}

/** @param base what is being changed, as it was when that began; null for a new routine. */
export function useSave(base: Routine | null, onSaved: (saved: Saved, saving: Saving) => void) {
  const queryClient = useQueryClient();
  const headersFor = useIdempotencyHeaders();
  return useWrite({
    mutationFn: async (saving: Saving): Promise<Saved> => {
      const { draft } = saving;
      const routine = await (base === null ? create(draft, headersFor(draft)) : save(base, draft));
      return { routine, sessionId: saving.isRunWanted ? await run(routine.id) : null };
    },
    onSuccess: async (saved, saving) => {
      await keepAnswer(queryClient, routineQuery(saved.routine.id).queryKey, saved.routine);
      void queryClient.invalidateQueries({ queryKey: ["routines"] });
      void queryClient.invalidateQueries({ queryKey: ["runs"] });
      void queryClient.invalidateQueries({ queryKey: ["routine", saved.routine.id] });
      onSaved(saved, saving);
    },
  });
}

async function create(draft: Draft, headers: Record<string, string>): Promise<api.Routine> {
  return await api.createRoutine(draft as api.RoutineInput, { headers });
}

async function save(base: Routine, draft: Draft): Promise<api.Routine> {
  const patch = patchOf(draftOf(base), draft);
  if (Object.keys(patch).length === 0) return base as api.Routine;
  return await api.changeRoutine(base.id, { ...patch, if_revision: base.revision } as api.RoutinePatch);
}

/** The routine is saved by now: a run that is refused must not look as if it were not. */
async function run(id: string): Promise<string | null> {
  try {
    const headers = { "idempotency-key": crypto.randomUUID() };
    return (await api.runRoutine(id, {}, { headers })).session_id;
  } catch {
    return null;
  }
}
