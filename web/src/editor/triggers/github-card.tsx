/** What GitHub tells of: the event, its actions, from whom, and conditions. */
import { useQuery } from "@tanstack/react-query";
import { Check, Checks } from "../checks.tsx";
import styles from "../editor.module.css";
import { githubEventsQuery } from "../editor-queries.ts";
import { TextField } from "../fields.tsx";
import { useRoutineInEditor } from "../routine-context.ts";
import { Filters } from "./filters.tsx";
import type { GithubInput } from "./kinds.ts";

interface CardProps {
  trigger: GithubInput;
  path: string;
  onChange: (trigger: GithubInput) => void;
}

export function GithubCard({ trigger, path, onChange }: CardProps) {
  const { data } = useQuery(githubEventsQuery());
  const { repositories } = useRoutineInEditor();
  const events = data?.data ?? [];
  const known = events.find(({ event }) => event === trigger.event);
  const actions = [...new Set([...(known?.actions ?? []), ...(trigger.actions ?? [])])];
  return (
    <>
      {repositories.length === 0 && (
        <p className={styles.warning}>Events come from the routine’s repositories, and it has none yet.</p>
      )}
      <TextField
        label="Event"
        path={`${path}.event`}
        hint={known?.title ?? "Any event of GitHub’s, by its name"}
        value={trigger.event}
        options={events.map(({ event }) => event)}
        onChange={(event) => onChange(withEvent(trigger, event))}
      />
      {actions.length > 0 && (
        <Checks
          legend="Actions"
          path={`${path}.actions`}
          hint={trigger.actions === undefined ? "None chosen: every action counts." : undefined}
          options={actions}
          chosen={trigger.actions ?? []}
          onChange={(chosen) => onChange(withActions(trigger, chosen))}
        />
      )}
      <Filters trigger={trigger} path={path} onChange={onChange} fields={known?.fields ?? []} />
      <Check
        label="Strangers may start runs: people who are no members of a public repository"
        path={`${path}.allow_public`}
        isChecked={trigger.allow_public}
        onChange={(allow_public) => onChange({ ...trigger, allow_public })}
      />
      <Check
        label="What its own runs push or open wakes it too"
        path={`${path}.allow_self`}
        isChecked={trigger.allow_self}
        onChange={(allow_self) => onChange({ ...trigger, allow_self })}
      />
    </>
  );
}

/** Another event has other actions. */
function withEvent({ actions, ...trigger }: GithubInput, event: string): GithubInput {
  return event === trigger.event && actions !== undefined ? { ...trigger, actions } : { ...trigger, event };
}

function withActions({ actions: _before, ...trigger }: GithubInput, actions: string[]): GithubInput {
  return actions.length === 0 ? trigger : { ...trigger, actions };
}
