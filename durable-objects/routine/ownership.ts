/** Whether a routine's object owns what an id names: all of the id counts, though a part of it has led to the object. */
import { kindOf } from "#protocol/ids.ts";
import type { RoutineParts } from "./assemble.ts";

/** @param id a text of whatever form. */
export function owns({ definitions, runs, log, occurrences }: RoutineParts, id: string): boolean {
  const routine = definitions.row();
  switch (kindOf(id)) {
    case "routine":
      return routine?.id === id;
    case "trigger":
      return routine?.definition.triggers.some((trigger) => trigger.id === id) ?? false;
    case "run":
      return runs.get(id) !== null;
    case "session":
      return log.end(id) !== null;
    case "occurrence":
      return occurrences.has(id);
    // They belong to the instance.
    case "delivery":
    case "sign_in":
    case null:
      return false;
  }
}
