/** Which connector the instance itself asks, and by which tool: of a watch, and of a gate. */
import { useQuery } from "@tanstack/react-query";
import { allConnectorsQuery } from "../connectors/connector-queries.ts";
import { SelectField, TextField } from "./fields.tsx";
import { JsonField } from "./json-field.tsx";

interface ConnectorFieldProps {
  path: string;
  /** Names of those that the routine's runs may use. */
  chosen: readonly string[];
  value: string;
  onChange: (connector: string) => void;
}

export function ConnectorField({ path, chosen, value, onChange }: ConnectorFieldProps) {
  const names = [...new Set([...(value === "" ? [""] : []), ...chosen, value])];
  return (
    <SelectField
      label="Connector"
      path={`${path}.connector`}
      hint={
        chosen.length === 0
          ? "Choose one for the routine first, under “Connectors”"
          : "One of those that are chosen under “Connectors”"
      }
      value={value}
      options={names.map((name) => ({ value: name, text: name === "" ? "Choose one" : name }))}
      onChange={onChange}
    />
  );
}

interface ToolFieldsProps {
  path: string;
  connector: string;
  tool: string;
  /** An object; where it is none yet, as it is written. */
  given: unknown;
  /** When it is called: "at each look". */
  when: string;
  onTool: (tool: string) => void;
  /** @param given undefined for none. */
  onGiven: (given: unknown) => void;
}

export function ToolFields({ path, connector, tool, given, when, onTool, onGiven }: ToolFieldsProps) {
  const tools = useQuery(allConnectorsQuery).data?.find(({ name }) => name === connector)?.tools ?? [];
  const known = tools.find(({ name }) => name === tool);
  return (
    <>
      <TextField
        label="Tool"
        path={`${path}.tool`}
        hint={
          known === undefined || known.read_only
            ? `One that only reads: it is called ${when}`
            : `Its server does not say that this one changes nothing, and it is called ${when}`
        }
        value={tool}
        options={tools.map(({ name }) => name)}
        placeholder="list_issues"
        onChange={onTool}
      />
      <JsonField
        label="Arguments"
        path={`${path}.arguments`}
        hint="Of the tool, as a JSON object. Empty: none"
        placeholder={'{"state": "triage"}'}
        value={given}
        onChange={onGiven}
      />
    </>
  );
}
