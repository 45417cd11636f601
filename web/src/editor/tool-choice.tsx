/** Tools of a connector: those that are known by boxes to tick, and whatever else by name or pattern. */
import { useState } from "react";
import type { ConnectorTool } from "#protocol/connector.ts";
import { Plain } from "../session/text/plain.tsx";
import { SomeOf } from "../ui/choices.tsx";
import styles from "./editor.module.css";
import { LinesField } from "./fields.tsx";

interface ToolChoiceProps {
  /** Of the boxes. */
  legend: string;
  /** Of the field for what has no box. */
  label: string;
  path: string;
  tools: readonly ConnectorTool[];
  value: readonly string[];
  onChange: (value: string[]) => void;
}

export function ToolChoice({ legend, label, path, tools, value, onChange }: ToolChoiceProps) {
  // While a line is written it may be a tool's name for a moment, as the beginning of a pattern: it stays a line.
  const [written, setWritten] = useState<readonly string[] | null>(null);
  const names = tools.map(({ name }) => name);
  const lines = written ?? value.filter((one) => !names.includes(one));
  const ticked = names.filter((name) => value.includes(name));
  return (
    <>
      {tools.length > 0 && (
        <SomeOf
          legend={legend}
          scrolls={tools.length > 6}
          options={tools.map(({ name, read_only }) => ({
            value: name,
            text: (
              <span className={styles.choiceLine}>
                <code>
                  <Plain text={name} />
                </code>
                {read_only && <small>changes nothing</small>}
              </span>
            ),
          }))}
          value={ticked}
          onChange={(next) => {
            const kept = lines.filter((line) => !names.includes(line) || next.includes(line));
            if (written !== null) setWritten(kept);
            onChange([...new Set([...names.filter((name) => next.includes(name)), ...kept])]);
          }}
        />
      )}
      <LinesField
        label={label}
        path={path}
        hint="One on each line, as the server has it; * stands for any characters"
        placeholder="list_*"
        value={lines}
        onChange={(next) => {
          setWritten(next);
          const boxes = ticked.filter((name) => !lines.includes(name));
          onChange([...new Set([...boxes, ...next])]);
        }}
      />
    </>
  );
}
