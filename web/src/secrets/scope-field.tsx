/** Who may use a secret: all runs, or those of some routines, in some environments; or the headers of some connectors alone. */
import { useQuery } from "@tanstack/react-query";
import type { SecretScope } from "../client/generated.ts";
import { allConnectorsQuery } from "../connectors/connector-queries.ts";
import { OneOf, SomeOf } from "../ui/choices.tsx";
import { everyEnvironmentQuery, everyRoutineQuery } from "./secret-queries.ts";

const REACHES = [
  { value: "all", text: "All runs" },
  { value: "some", text: "Only some routines, environments or connectors" },
] as const;

interface ScopeFieldProps {
  scope: SecretScope;
  onChange: (scope: SecretScope) => void;
}

/** A list without any stands for all, and is left out. */
export function ScopeField({ scope, onChange }: ScopeFieldProps) {
  const isForAll = Object.keys(scope).length === 0;
  return (
    <>
      <OneOf
        legend="Who may use it"
        options={REACHES}
        value={isForAll ? "all" : "some"}
        onChange={(reach) => onChange(reach === "all" ? {} : { routines: [], environments: [] })}
      />
      {!isForAll && <Narrowed scope={scope} onChange={onChange} />}
    </>
  );
}

function Narrowed({ scope, onChange }: ScopeFieldProps) {
  const environments = useQuery(everyEnvironmentQuery).data ?? [];
  const routines = useQuery(everyRoutineQuery).data ?? [];
  const connectors = useQuery(allConnectorsQuery).data ?? [];
  return (
    <>
      <SomeOf
        legend="Environments"
        scrolls
        hint="None chosen: all of them."
        options={optionsOf(environments, scope.environments)}
        value={scope.environments ?? []}
        onChange={(chosen) => onChange({ ...scope, environments: chosen })}
      />
      <SomeOf
        legend="Routines"
        scrolls
        hint="None chosen: all of them."
        options={optionsOf(routines, scope.routines)}
        value={scope.routines ?? []}
        onChange={(chosen) => onChange({ ...scope, routines: chosen })}
      />
      <SomeOf
        legend="Connectors"
        scrolls
        hint="With any chosen it is for their headers alone, and no variable gets it."
        options={optionsOf(connectors, scope.connectors)}
        value={scope.connectors ?? []}
        onChange={(chosen) => onChange({ ...scope, connectors: chosen })}
      />
    </>
  );
}

/** With those that are chosen and not there any more, so that they can be taken away. */
function optionsOf(
  items: readonly { id: string; name: string }[],
  chosen: readonly string[] = [],
): { value: string; text: string }[] {
  const gone = chosen.filter((id) => !items.some((item) => item.id === id));
  return [...items.map(({ id, name }) => ({ value: id, text: name })), ...gone.map((id) => ({ value: id, text: id }))];
}
