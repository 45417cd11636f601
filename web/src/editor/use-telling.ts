/** What the instance says to a draft while it is written. */
import { useQuery } from "@tanstack/react-query";
import type { FieldFault, Problem } from "../problem.ts";
import { type Draft, isSame } from "./draft.ts";
import { validationQuery } from "./editor-queries.ts";
import { useSettled } from "./use-settled.ts";

/** One about a secret that is missing names it. */
export interface FieldWarning extends FieldFault {
  secret?: string | undefined;
}

interface Telling {
  faults: readonly FieldFault[];
  warnings: readonly FieldWarning[];
}

interface Refused {
  draft: Draft;
  problem: Problem;
}

/**
 * Faults are told once somebody has tried to save, and go as they are mended: nobody wants to hear of a name that is
 * missing before they have come to it. Warnings are told at once.
 * @param refused what was not saved, and why.
 */
export function useTelling(draft: Draft, id: string | null, refused: Refused | null): Telling {
  const { data } = useQuery(validationQuery(useSettled(draft), id));
  const warnings = (data?.warnings ?? []).map(({ field, message, hint, secret }) => ({
    field,
    secret,
    message: hint === undefined ? message : `${message} ${hint}`,
  }));
  const issues = refused?.problem.issues ?? [];
  // What the instance has said to an earlier draft says nothing of the one that was refused.
  const isChanged = refused !== null && !isSame(draft, refused.draft);
  return { faults: isChanged && issues.length > 0 ? (data?.faults ?? issues) : issues, warnings };
}
