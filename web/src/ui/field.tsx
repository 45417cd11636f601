/** A labelled field, with a line under it that helps. */
import { cloneElement, type ReactElement, type ReactNode, useId } from "react";
import styles from "./field.module.css";

interface FieldProps {
  label: string;
  hint?: ReactNode;
  /** An input or a textarea. */
  children: ReactElement<{ id?: string; className?: string; "aria-describedby"?: string }>;
}

export function Field({ label, hint, children }: FieldProps) {
  const id = useId();
  const hintId = `${id}-hint`;
  const control = cloneElement(children, {
    id,
    className: styles.control ?? "",
    ...(hint === undefined ? {} : { "aria-describedby": hintId }),
  });
  return (
    <div className={styles.field}>
      <label className={styles.label} htmlFor={id}>
        {label}
      </label>
      {control}
      {hint !== undefined && (
        <p id={hintId} className={styles.hint}>
          {hint}
        </p>
      )}
    </div>
  );
}
