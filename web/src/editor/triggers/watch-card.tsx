/** A trigger that looks at what a connector gives, again and again. */
import styles from "../editor.module.css";
import { TextField } from "../fields.tsx";
import type { WatchInput } from "./kinds.ts";

interface WatchCardProps {
  trigger: WatchInput;
  path: string;
  onChange: (trigger: WatchInput) => void;
}

export function WatchCard({ trigger, path, onChange }: WatchCardProps) {
  return (
    <>
      <TextField
        label="Connector"
        path={`${path}.connector`}
        hint="One of the routine's connectors"
        value={trigger.connector}
        onChange={(connector) => onChange({ ...trigger, connector })}
      />
      {trigger.resource === undefined ? (
        <TextField
          label="Tool"
          path={`${path}.tool`}
          value={trigger.tool ?? ""}
          placeholder="list_issues"
          onChange={(tool) => onChange({ ...trigger, tool })}
        />
      ) : (
        <TextField
          label="Resource"
          path={`${path}.resource`}
          value={trigger.resource}
          onChange={(resource) => onChange({ ...trigger, resource })}
        />
      )}
      <TextField
        label="Looks every"
        path={`${path}.every`}
        hint="From 1m to 24h"
        value={trigger.every ?? ""}
        onChange={(every) => onChange({ ...trigger, every })}
      />
      <TextField
        label="Items"
        path={`${path}.items`}
        hint="Where the list stands in the answer, as in data.nodes; empty where the answer is the list"
        value={trigger.items ?? ""}
        onChange={(items) => onChange(withPath(trigger, "items", items))}
      />
      <TextField
        label="Key"
        path={`${path}.key`}
        hint="What an item is known by; empty for its id"
        value={trigger.key ?? ""}
        onChange={(key) => onChange(withPath(trigger, "key", key))}
      />
      <p className={styles.hint}>
        Each item that is new, or has changed since the look before, wakes the routine once. Arguments of the tool, and
        a resource in its place, are written in the definition as JSON.
      </p>
    </>
  );
}

function withPath(trigger: WatchInput, name: "items" | "key", path: string): WatchInput {
  const { [name]: _before, ...rest } = trigger;
  return path === "" ? rest : { ...rest, [name]: path };
}
