/** An object that is written as JSON. What is none yet stays as it is written, and is refused if it is saved so. */
import { type ReactNode, useState } from "react";
import { Field } from "../ui/field.tsx";
import { isSame } from "./draft.ts";
import { useTold, useToldIn } from "./faults.tsx";

interface JsonFieldProps {
  label: string;
  path: string;
  hint?: ReactNode;
  placeholder?: string;
  /** Undefined where nothing is written. */
  value: unknown;
  /** @param value an object; text that is no object; undefined for an empty field. */
  onChange: (value: unknown) => void;
}

export function JsonField({ label, path, hint, placeholder, value, onChange }: JsonFieldProps) {
  const [written, setWritten] = useState(() => textOf(value));
  const inside = useToldIn(path);
  const { warning } = useTold(path);
  // Another value may have come from the definition as JSON.
  const text = isSame(readObject(written), value) ? written : textOf(value);
  const fault = typeof value === "string" ? faultOf(value) : inside;
  return (
    <Field label={label} path={path} hint={hint} fault={fault} warning={warning}>
      <textarea
        rows={Math.min(Math.max(text.split("\n").length + 1, 2), 12)}
        data-mono
        spellCheck={false}
        placeholder={placeholder}
        value={text}
        onChange={({ target }) => {
          setWritten(target.value);
          onChange(readObject(target.value));
        }}
      />
    </Field>
  );
}

function textOf(value: unknown): string {
  if (value === undefined) return "";
  return typeof value === "string" ? value : JSON.stringify(value, null, 2);
}

function readObject(text: string): unknown {
  if (text.trim() === "") return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : text;
  } catch {
    return text;
  }
}

function isObject(value: unknown): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function faultOf(text: string): string {
  try {
    JSON.parse(text);
    return 'Must be a JSON object: {"state": "triage"}.';
  } catch (error) {
    return `This is not JSON: ${error instanceof Error ? error.message : "it can't be read"}.`;
  }
}
