/** Which connectors a routine's runs may use, and what they may do there. */
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import type { ConnectorToolRules, RoutineConnector } from "#protocol/connector.ts";
import type { Connector } from "../client/generated.ts";
import { allConnectorsQuery } from "../connectors/connector-queries.ts";
import { statusLabel } from "../connectors/connector-words.ts";
import { connectorName } from "../format/connectors.ts";
import { asProblem } from "../problem.ts";
import { Plain } from "../session/text/plain.tsx";
import { LabelBadge } from "../ui/badge.tsx";
import { SomeOf } from "../ui/choices.tsx";
import type { PartProps } from "./basics-part.tsx";
import { Check } from "./checks.tsx";
import styles from "./editor.module.css";
import { ToldHere, useIsTold } from "./faults.tsx";
import { connectorsLine } from "./policies.ts";
import { Section } from "./section.tsx";
import { ToolChoice } from "./tool-choice.tsx";

export function ConnectorsSection(props: PartProps) {
  return (
    <Section title="Connectors" value={connectorsLine(props.draft)} paths={["connectors"]}>
      <ConnectorsPart {...props} />
    </Section>
  );
}

/** What there is to choose among is read once the part is open. */
function ConnectorsPart({ draft, set }: PartProps) {
  const { data: all, error } = useQuery(allConnectorsQuery);
  const { connectors: chosen } = draft;
  const names = [...new Set([...(all ?? []).map(({ name }) => name), ...chosen.map(connectorName)])];
  const find = (name: string) => all?.find((connector) => connector.name === name);

  function choose(wanted: readonly string[]) {
    set({
      connectors: [
        ...chosen.filter((given) => wanted.includes(connectorName(given))),
        ...wanted.filter((name) => !chosen.some((given) => connectorName(given) === name)),
      ],
    });
  }

  return (
    <>
      <p className={styles.hint}>
        MCP servers whose tools its agent has: to the agent, a tool of one is called <code>mcp__NAME__TOOL</code>.
      </p>
      <ToldHere path="connectors" />
      {error !== null && <p className={styles.fault}>{asProblem(error).message}</p>}
      {all?.length === 0 && (
        <p className={styles.hint}>
          There are none yet. <Link to="/connectors/new">Make a connector</Link>
        </p>
      )}
      {names.length > 0 && (
        <SomeOf
          legend="Its runs may use"
          scrolls={names.length > 6}
          options={names.map((name) => ({ value: name, text: <Choice name={name} connector={find(name)} /> }))}
          value={chosen.map(connectorName)}
          onChange={choose}
        />
      )}
      {chosen.map((given, place) => (
        <ConnectorFields
          key={connectorName(given)}
          given={given}
          place={place}
          connector={find(connectorName(given))}
          isMissing={all !== undefined && find(connectorName(given)) === undefined}
          onChange={(next) => set({ connectors: chosen.with(place, next) })}
        />
      ))}
    </>
  );
}

function Choice({ name, connector }: { name: string; connector: Connector | undefined }) {
  return (
    <span className={styles.choiceLine}>
      {name}
      {connector !== undefined && <LabelBadge {...statusLabel(connector)} look="plain" />}
    </span>
  );
}

interface ConnectorFieldsProps {
  given: RoutineConnector;
  place: number;
  /** Undefined where there is none of the name, or it is not known yet. */
  connector: Connector | undefined;
  isMissing: boolean;
  onChange: (given: RoutineConnector) => void;
}

function ConnectorFields({ given, place, connector, isMissing, onChange }: ConnectorFieldsProps) {
  const path = `connectors[${place}]`;
  const name = connectorName(given);
  const rules: ConnectorToolRules = typeof given === "string" ? {} : (given.tools ?? {});
  const { allow, deny = [], read_only: isReadOnly = false } = rules;
  const change = (next: ConnectorToolRules) => onChange(withRules(name, next));
  const tools = connector?.tools ?? [];
  const { allow: _allow, ...others } = rules;
  const [hadDenied] = useState(deny.length > 0);
  const isTold = useIsTold([`${path}.tools.deny`]);
  return (
    <fieldset className={styles.group} aria-label={`Connector ${name}`}>
      <legend>{name}</legend>
      <ToldHere path={path} />
      <ToldHere path={`${path}.name`} />
      {isMissing && <p className={styles.warning}>There is no connector of this name: its runs go on without it.</p>}
      {connector !== undefined && connector.status !== "ready" && (
        <p className={styles.warning}>
          {statusLabel(connector).text}: calls of it fail until that is mended.{" "}
          {connector.status_detail !== null && <Plain text={connector.status_detail} />}{" "}
          <Link to="/connectors/$id" params={{ id: connector.id }}>
            Look at {name}
          </Link>
        </p>
      )}
      <Check
        label="Only tools of which its server says that they change nothing"
        path={`${path}.tools.read_only`}
        isChecked={isReadOnly}
        onChange={(isChecked) => change({ ...rules, read_only: isChecked })}
      />
      <Check
        label="Only the tools that are chosen here"
        isChecked={allow !== undefined}
        onChange={(isChecked) => change(isChecked ? { ...others, allow: [] } : others)}
      />
      {allow !== undefined && (
        <ToolChoice
          legend={`Tools of ${name} that are let through`}
          label="Let through by name or pattern"
          path={`${path}.tools.allow`}
          tools={tools}
          value={allow}
          onChange={(next) => change({ ...rules, allow: next })}
        />
      )}
      <details className={styles.steps} open={hadDenied || isTold}>
        <summary>{deny.length === 0 ? "No tool is kept from it by name" : `Kept from it: ${deny.join(", ")}`}</summary>
        <ToolChoice
          legend={`Tools of ${name} that are refused`}
          label="Refused by name or pattern"
          path={`${path}.tools.deny`}
          tools={tools}
          value={deny}
          onChange={(next) => change({ ...rules, deny: next })}
        />
      </details>
    </fieldset>
  );
}

/** What says nothing is left out, so that a connector without rules is a name alone. */
function withRules(name: string, { allow, deny, read_only }: ConnectorToolRules): RoutineConnector {
  const tools: ConnectorToolRules = {
    ...(allow === undefined ? {} : { allow }),
    ...(deny === undefined || deny.length === 0 ? {} : { deny }),
    ...(read_only === true ? { read_only } : {}),
  };
  return Object.keys(tools).length === 0 ? name : { name, tools };
}
