/** A labelled field, with a line under it that helps, and one that says what is wrong with it. */
import { cloneElement, type ReactElement, type ReactNode, useId } from "react";
import styles from "./field.module.css";

interface FieldProps {
  label: string;
  hint?: ReactNode;
  /** Of what it writes: other parts of the page lead to it by that. */
  path?: string | undefined;
  /** What is wrong with its value. */
  fault?: string | undefined;
  /** What is right, and may not be meant. */
  warning?: string | undefined;
  /** An input, a textarea or a select. */
  children: ReactElement<{
    id?: string;
    className?: string;
    "aria-describedby"?: string;
    "aria-invalid"?: true;
    "data-path"?: string;
  }>;
}

export function Field({ label, hint, path, fault, warning, children }: FieldProps) {
  const id = useId();
  const lines = [
    { id: `${id}-fault`, text: fault, className: styles.fault },
    { id: `${id}-warning`, text: warning, className: styles.warning },
    { id: `${id}-hint`, text: hint, className: styles.hint },
  ].filter(({ text }) => text !== undefined);
  const control = cloneElement(children, {
    id,
    className: styles.control ?? "",
    ...(path === undefined ? {} : { "data-path": path }),
    ...(fault === undefined ? {} : { "aria-invalid": true }),
    ...(lines.length === 0 ? {} : { "aria-describedby": lines.map((line) => line.id).join(" ") }),
  });
  return (
    <div className={styles.field}>
      <label className={styles.label} htmlFor={id}>
        {label}
      </label>
      {control}
      {lines.map((line) => (
        <p key={line.id} id={line.id} className={line.className}>
          {line.text}
        </p>
      ))}
    </div>
  );
}
