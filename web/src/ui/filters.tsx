/** What narrows a list: a search, and choices beside it. What is chosen stands in the address, so that it can be sent on. */
import { type ReactNode, useEffect, useId, useState } from "react";
import styles from "./filters.module.css";

const TYPING_MS = 300;

/** @param props.label what is narrowed, for those who can't see where it stands. */
export function Filters({ label, children }: { label: string; children: ReactNode }) {
  return (
    <search className={styles.filters} aria-label={label}>
      {children}
    </search>
  );
}

interface SearchFieldProps {
  label: string;
  value: string;
  /** Told a moment after the last key. */
  onChange: (value: string) => void;
}

export function SearchField({ label, value, onChange }: SearchFieldProps) {
  const [typed, setTyped] = useState(value);
  const [given, setGiven] = useState(value);
  // The address may change by another way: then it says what is looked for.
  if (given !== value) {
    setGiven(value);
    if (value !== typed.trim()) setTyped(value);
  }
  useEffect(() => {
    if (typed.trim() === value) return;
    const timer = setTimeout(() => onChange(typed.trim()), TYPING_MS);
    return () => clearTimeout(timer);
  }, [typed, value, onChange]);
  return (
    <input
      type="search"
      className={styles.search}
      aria-label={label}
      placeholder={label}
      value={typed}
      maxLength={200}
      onChange={(event) => setTyped(event.target.value)}
    />
  );
}

interface ChoiceProps<Value extends string> {
  label: string;
  /** Undefined for all. */
  value: Value | undefined;
  options: readonly { value: Value; text: string }[];
  /** What stands there while nothing is chosen: "Any status". */
  all: string;
  onChange: (value: Value | undefined) => void;
}

export function Choice<Value extends string>({ label, value, options, all, onChange }: ChoiceProps<Value>) {
  const id = useId();
  return (
    <>
      <label htmlFor={id} className="visually-hidden">
        {label}
      </label>
      <select
        id={id}
        className={styles.choice}
        value={value ?? ""}
        data-chosen={value !== undefined}
        onChange={(event) => onChange(options.find((option) => option.value === event.target.value)?.value)}
      >
        <option value="">{all}</option>
        {options.map((option) => (
          <option key={option.value} value={option.value}>
            {option.text}
          </option>
        ))}
      </select>
    </>
  );
}
