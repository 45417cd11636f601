/** One attempt of a run that was given a secret. */
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { SecretUse } from "../client/generated.ts";
import { rowLinkClass } from "../ui/card.tsx";
import { Entry } from "../ui/entry.tsx";
import { Time } from "../ui/time.tsx";
import { everyEnvironmentQuery, everyRoutineQuery } from "./secret-queries.ts";

export function UseRow({ use }: { use: SecretUse }) {
  const { at, routine_id, run_id, attempt, environment_id, variables } = use;
  const routines = useQuery(everyRoutineQuery).data;
  const environments = useQuery(everyEnvironmentQuery).data;
  return (
    <Entry
      head={
        <Link to="/runs/$id" params={{ id: run_id }} className={rowLinkClass}>
          {nameOf(routines, routine_id) ?? "Deleted routine"}
        </Link>
      }
      meta={[
        <Time key="at" at={at} />,
        attempt > 1 && `Attempt ${attempt}`,
        `In ${nameOf(environments, environment_id) ?? environment_id}`,
        <>As {variables.join(", ")}</>,
      ]}
    />
  );
}

function nameOf(items: readonly { id: string; name: string }[] | undefined, id: string): string | undefined {
  return items === undefined ? "…" : items.find((item) => item.id === id)?.name;
}
