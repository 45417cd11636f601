/** What the cards of triggers have to know of the routine that they are in. */
import { createContext, useContext } from "react";
import type { Routine } from "#protocol/routine.ts";

interface RoutineInEditor {
  /** Null while it is not saved. */
  id: string | null;
  repositories: { url: string }[];
  /** Names of those that its runs may use. */
  connectors: readonly string[];
  /** As they are saved, with endpoints and secrets. */
  saved: Routine["triggers"];
  hasToken: boolean;
}

const RoutineContext = createContext<RoutineInEditor>({
  id: null,
  repositories: [],
  connectors: [],
  saved: [],
  hasToken: false,
});
export const RoutineProvider = RoutineContext.Provider;

export function useRoutineInEditor(): RoutineInEditor {
  return useContext(RoutineContext);
}
