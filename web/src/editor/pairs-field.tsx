/** Names and values as lines of `NAME=value`. What is no such line yet stays as it is written. */
import { useState } from "react";
import { Field } from "../ui/field.tsx";
import { isSame } from "./draft.ts";
import { useTold, useToldIn } from "./faults.tsx";

interface PairsFieldProps {
  label: string;
  path: string;
  hint?: string;
  placeholder?: string;
  value: Record<string, string>;
  onChange: (value: Record<string, string>) => void;
}

export function PairsField({ label, path, hint, placeholder, value, onChange }: PairsFieldProps) {
  const [written, setWritten] = useState(() => linesOf(value));
  const inside = useToldIn(path);
  const { warning } = useTold(path);
  const text = isSame(pairsOf(written), value) ? written : linesOf(value);
  return (
    <Field label={label} path={path} hint={hint} fault={inside} warning={warning}>
      <textarea
        rows={Math.min(Math.max(text.split("\n").length + 1, 2), 8)}
        spellCheck={false}
        placeholder={placeholder}
        value={text}
        onChange={({ target }) => {
          setWritten(target.value);
          onChange(pairsOf(target.value));
        }}
      />
    </Field>
  );
}

function linesOf(value: Record<string, string>): string {
  return Object.entries(value)
    .map(([name, text]) => `${name}=${text}`)
    .join("\n");
}

function pairsOf(text: string): Record<string, string> {
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  return Object.fromEntries(
    lines.map((line) => {
      const at = line.indexOf("=");
      return at === -1 ? [line.trim(), ""] : [line.slice(0, at).trim(), line.slice(at + 1)];
    }),
  );
}
