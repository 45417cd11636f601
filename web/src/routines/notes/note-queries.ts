/** What is read of the notes that a routine's runs share, and what people can do with them. */
import { queryOptions, useQueryClient } from "@tanstack/react-query";
import * as api from "../../client/generated.ts";
import { useWrite } from "../../write.ts";

const IDLE_MS = 15_000;

export function notesQuery(routineId: string) {
  return queryOptions({
    queryKey: ["routine", routineId, "notes"],
    queryFn: async ({ signal }) => (await api.listNotes(routineId, { signal })).data,
    refetchInterval: IDLE_MS,
  });
}

/** One revision's text never changes. */
export function noteQuery(routineId: string, { name, revision }: { name: string; revision: number }) {
  return queryOptions({
    queryKey: ["routine", routineId, "notes", name, revision],
    queryFn: ({ signal }) => api.readNote(routineId, name, { signal }),
  });
}

export interface Written {
  name: string;
  text: string;
  /** The revision that was shown; 0 for a new note. */
  revision: number;
}

/** Refused where a run or somebody else has written it meanwhile: nothing is overwritten unseen. */
export function useWriteNote(routineId: string) {
  return useNoteCall(routineId, ({ name, text, revision }: Written) =>
    api.writeNote(routineId, name, { text, if_revision: revision }),
  );
}

export function useRemoveNote(routineId: string) {
  return useNoteCall(routineId, (name: string) => api.removeNote(routineId, name));
}

function useNoteCall<Given, Answer>(routineId: string, call: (given: Given) => Promise<Answer>) {
  const queryClient = useQueryClient();
  return useWrite({
    mutationFn: call,
    onSettled: () => queryClient.invalidateQueries({ queryKey: ["routine", routineId, "notes"] }),
  });
}
