/** A trigger that looks at what a connector gives, again and again. */
import { OneOf } from "../../ui/choices.tsx";
import { ConnectorField, ToolFields } from "../connector-fields.tsx";
import styles from "../editor.module.css";
import { TextField } from "../fields.tsx";
import { useRoutineInEditor } from "../routine-context.ts";
import { Row } from "../section.tsx";
import type { WatchInput } from "./kinds.ts";
import { WatchTries } from "./watch-tries.tsx";

const LOOKED_AT = [
  { value: "tool", text: "What a tool answers" },
  { value: "resource", text: "A resource" },
] as const;

interface WatchCardProps {
  trigger: WatchInput;
  path: string;
  onChange: (trigger: WatchInput) => void;
}

export function WatchCard({ trigger, path, onChange }: WatchCardProps) {
  const { connectors } = useRoutineInEditor();
  const kind = trigger.resource === undefined ? "tool" : "resource";
  return (
    <>
      <ConnectorField
        path={path}
        chosen={connectors}
        value={trigger.connector}
        onChange={(connector) => onChange({ ...trigger, connector })}
      />
      <OneOf
        legend="It looks at"
        options={LOOKED_AT}
        value={kind}
        onChange={(next) => onChange(lookingAt(trigger, next))}
      />
      {kind === "tool" ? (
        <ToolFields
          path={path}
          connector={trigger.connector}
          tool={trigger.tool ?? ""}
          given={trigger.arguments}
          when="at each look"
          onTool={(tool) => onChange({ ...trigger, tool })}
          onGiven={(given) => onChange(withArguments(trigger, given))}
        />
      ) : (
        <TextField
          label="Resource"
          path={`${path}.resource`}
          hint="Its URI, as the server has it"
          value={trigger.resource ?? ""}
          placeholder="issues://triage"
          onChange={(resource) => onChange({ ...trigger, resource })}
        />
      )}
      <Row>
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
      </Row>
      <p className={styles.hint}>
        Each item that is new, or has changed since the look before, wakes the routine once. The first look wakes
        nothing.
      </p>
      <WatchTries trigger={trigger} />
    </>
  );
}

function lookingAt(
  { tool: _tool, resource: _resource, arguments: _arguments, ...rest }: WatchInput,
  kind: "tool" | "resource",
): WatchInput {
  return { ...rest, [kind]: "" };
}

/** What is no object is kept as it is written, for the instance to refuse. */
function withArguments({ arguments: _before, ...rest }: WatchInput, given: unknown): WatchInput {
  return given === undefined ? rest : { ...rest, arguments: given as NonNullable<WatchInput["arguments"]> };
}

function withPath(trigger: WatchInput, name: "items" | "key", path: string): WatchInput {
  const { [name]: _before, ...rest } = trigger;
  return path === "" ? rest : { ...rest, [name]: path };
}
