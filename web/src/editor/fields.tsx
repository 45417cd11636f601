/** The fields of the editor: each knows its place in the definition, and shows what is told of it. */
import { type ReactNode, useId } from "react";
import { Field } from "../ui/field.tsx";
import { useTold, useToldIn } from "./faults.tsx";

interface Common {
  label: string;
  /** Of the field in the definition: `triggers[0].cron`. */
  path: string;
  hint?: ReactNode;
}

interface TextFieldProps extends Common {
  value: string;
  onChange: (value: string) => void;
  placeholder?: string;
  /** What is offered while somebody types. */
  options?: readonly string[];
  type?: "text" | "time" | "datetime-local";
  maxLength?: number;
  /** What is told of a part of it stands here too: it writes a list. */
  hasParts?: boolean;
}

export function TextField({
  label,
  path,
  hint,
  value,
  onChange,
  placeholder,
  options,
  hasParts = false,
  ...rest
}: TextFieldProps) {
  const own = useTold(path);
  const inside = useToldIn(path);
  const told = hasParts && inside !== undefined ? { ...own, fault: inside } : own;
  const listId = useId();
  return (
    <>
      <Field label={label} path={path} hint={hint} {...told}>
        <input
          type="text"
          autoComplete="off"
          spellCheck={false}
          value={value}
          placeholder={placeholder}
          list={options === undefined ? undefined : listId}
          onChange={(event) => onChange(event.target.value)}
          {...rest}
        />
      </Field>
      {options !== undefined && (
        <datalist id={listId}>
          {options.map((option) => (
            <option key={option} value={option} />
          ))}
        </datalist>
      )}
    </>
  );
}

interface NumberFieldProps extends Common {
  /** Undefined for an empty field. */
  value: number | undefined;
  onChange: (value: number | undefined) => void;
  step?: string;
}

export function NumberField({ label, path, hint, value, onChange, step = "1" }: NumberFieldProps) {
  const told = useTold(path);
  return (
    <Field label={label} path={path} hint={hint} {...told}>
      <input
        type="number"
        inputMode="decimal"
        step={step}
        value={value === undefined || Number.isNaN(value) ? "" : value}
        onChange={({ target }) => onChange(target.value === "" ? undefined : Number(target.value))}
      />
    </Field>
  );
}

interface SelectFieldProps<Value extends string> extends Common {
  value: Value;
  onChange: (value: Value) => void;
  options: readonly { value: Value; text: string }[];
}

export function SelectField<Value extends string>({
  label,
  path,
  hint,
  value,
  onChange,
  options,
}: SelectFieldProps<Value>) {
  const told = useTold(path);
  return (
    <Field label={label} path={path} hint={hint} {...told}>
      <select
        value={value}
        onChange={({ target }) => {
          const chosen = options.find((option) => option.value === target.value);
          if (chosen !== undefined) onChange(chosen.value);
        }}
      >
        {options.map((option) => (
          <option key={option.value} value={option.value}>
            {option.text}
          </option>
        ))}
      </select>
    </Field>
  );
}

interface LinesFieldProps extends Common {
  /** One for each line. */
  value: readonly string[];
  onChange: (value: string[]) => void;
  placeholder?: string;
}

export function LinesField({ label, path, hint, value, onChange, placeholder }: LinesFieldProps) {
  const fault = useToldIn(path);
  return (
    <Field label={label} path={path} hint={hint} fault={fault}>
      <textarea
        rows={Math.min(Math.max(value.length + 1, 2), 8)}
        spellCheck={false}
        value={value.join("\n")}
        placeholder={placeholder}
        onChange={({ target }) => onChange(target.value === "" ? [] : target.value.split("\n"))}
      />
    </Field>
  );
}
