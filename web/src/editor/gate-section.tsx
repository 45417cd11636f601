/** What a connector is asked before the routine wakes. */
import type { Gate } from "#protocol/gate.ts";
import { connectorName } from "../format/connectors.ts";
import type { PartProps } from "./basics-part.tsx";
import { Check } from "./checks.tsx";
import { ConnectorField, ToolFields } from "./connector-fields.tsx";
import styles from "./editor.module.css";
import { ToldHere } from "./faults.tsx";
import { TextField } from "./fields.tsx";
import { gateLine } from "./policies.ts";
import { Section } from "./section.tsx";

export function GateSection({ draft, set }: PartProps) {
  const { gate } = draft;
  const chosen = draft.connectors.map(connectorName);
  return (
    <Section title="Gate" value={gateLine(draft)} paths={["gate"]}>
      <p className={styles.hint}>
        Of what comes by itself, a connector is asked first: where its answer is not as it should be, there is no run
        and no model call. “Run now” asks no gate.
      </p>
      <ToldHere path="gate" />
      <Check
        label="Ask a connector before it wakes"
        isChecked={gate !== undefined}
        onChange={(isChecked) => set({ gate: isChecked ? { connector: chosen[0] ?? "", tool: "" } : undefined })}
      />
      {gate !== undefined && <GateFields gate={gate} chosen={chosen} onChange={(next) => set({ gate: next })} />}
    </Section>
  );
}

interface GateFieldsProps {
  gate: Gate;
  chosen: readonly string[];
  onChange: (gate: Gate) => void;
}

function GateFields({ gate, chosen, onChange }: GateFieldsProps) {
  const { arguments: given, when, ...rest } = gate;
  const kept = given === undefined ? {} : { arguments: given };
  return (
    <>
      <ConnectorField
        path="gate"
        chosen={chosen}
        value={gate.connector}
        onChange={(connector) => onChange({ ...gate, connector })}
      />
      <ToolFields
        path="gate"
        connector={gate.connector}
        tool={gate.tool}
        given={given}
        when="whenever something comes"
        onTool={(tool) => onChange({ ...gate, tool })}
        onGiven={(next) =>
          onChange({
            ...rest,
            ...(when === undefined ? {} : { when }),
            // What is no object is kept as it is written, for the instance to refuse.
            ...(next === undefined ? {} : { arguments: next as NonNullable<Gate["arguments"]> }),
          })
        }
      />
      <TextField
        label="It wakes only if"
        path="gate.when"
        hint={
          <>
            Of the answer: <code>count &gt; 0</code>, <code>{'contains(title, "crash")'}</code>. Empty: if the answer is
            not empty
          </>
        }
        value={when ?? ""}
        placeholder="count > 0"
        onChange={(next) => onChange({ ...rest, ...kept, ...(next === "" ? {} : { when: next }) })}
      />
    </>
  );
}
