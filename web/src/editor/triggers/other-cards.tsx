/** Triggers that wait for another routine, and for an event by its name. */
import { useQuery } from "@tanstack/react-query";
import { Checks } from "../checks.tsx";
import styles from "../editor.module.css";
import { routineNamesQuery } from "../editor-queries.ts";
import { TextField } from "../fields.tsx";
import { Filters } from "./filters.tsx";
import type { EventInput, RoutineInput } from "./kinds.ts";

const ENDS = ["succeeded", "failed", "canceled", "timed_out", "failing", "recovered", "quiet"] as const;
const RESULTS = ["done", "nothing_to_do", "blocked", "unknown"] as const;

interface RoutineCardProps {
  trigger: RoutineInput;
  path: string;
  onChange: (trigger: RoutineInput) => void;
}

export function RoutineCard({ trigger, path, onChange }: RoutineCardProps) {
  const { data } = useQuery(routineNamesQuery());
  return (
    <>
      <TextField
        label="Routine"
        path={`${path}.routine`}
        hint="By its name or id"
        value={trigger.routine}
        options={data?.data.map(({ name }) => name) ?? []}
        onChange={(routine) => onChange({ ...trigger, routine })}
      />
      <Checks
        legend="When a run of it ends as, or it is"
        path={`${path}.on`}
        hint="Failing: its first failure after a success. Recovered: its first success after that. Quiet: no success for longer than its schedule means."
        options={ENDS}
        chosen={trigger.on}
        onChange={(on) => onChange({ ...trigger, on })}
      />
      <Checks
        legend="With the result"
        path={`${path}.result`}
        hint="None chosen: any result counts."
        options={RESULTS}
        chosen={trigger.result ?? []}
        onChange={(result) => onChange(withResult(trigger, result))}
      />
    </>
  );
}

function withResult({ result: _before, ...trigger }: RoutineInput, result: NonNullable<RoutineInput["result"]>) {
  return result.length === 0 ? trigger : { ...trigger, result };
}

interface EventCardProps {
  trigger: EventInput;
  path: string;
  onChange: (trigger: EventInput) => void;
}

export function EventCard({ trigger, path, onChange }: EventCardProps) {
  return (
    <>
      <TextField
        label="Name of the event"
        path={`${path}.name`}
        value={trigger.name}
        placeholder="file.changed"
        onChange={(name) => onChange({ ...trigger, name })}
      />
      <p className={styles.hint}>
        Programs of yours send it: <code>{`POST ${location.origin}/api/v1/events`}</code> with{" "}
        <code>{`{"name":"${trigger.name || "file.changed"}","payload":{}}`}</code> and the owner token.
      </p>
      <Filters trigger={trigger} path={path} onChange={onChange} fields={[]} />
    </>
  );
}
