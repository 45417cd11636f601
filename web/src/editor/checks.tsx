/** Boxes to tick: one, or several of one question. */
import type { ReactNode } from "react";
import styles from "./editor.module.css";
import { ToldHere, useTold } from "./faults.tsx";

interface CheckProps {
  label: ReactNode;
  /** Of the key that it writes, where it writes one. */
  path?: string;
  isChecked: boolean;
  onChange: (isChecked: boolean) => void;
}

export function Check({ label, path, isChecked, onChange }: CheckProps) {
  return (
    <>
      <label className={styles.check}>
        <input type="checkbox" checked={isChecked} onChange={({ target }) => onChange(target.checked)} />
        <span>{label}</span>
      </label>
      {path !== undefined && <ToldHere path={path} />}
    </>
  );
}

interface ChecksProps<Value extends string> {
  legend: string;
  path: string;
  hint?: string | undefined;
  options: readonly Value[];
  chosen: readonly Value[];
  onChange: (chosen: Value[]) => void;
}

export function Checks<Value extends string>({ legend, path, hint, options, chosen, onChange }: ChecksProps<Value>) {
  const { fault, warning } = useTold(path);
  return (
    <fieldset className={styles.checks}>
      <legend>{legend}</legend>
      <div className={styles.boxes}>
        {options.map((option) => (
          <Check
            key={option}
            label={option.replaceAll("_", " ")}
            isChecked={chosen.includes(option)}
            onChange={(isChecked) =>
              onChange(options.filter((one) => (one === option ? isChecked : chosen.includes(one))))
            }
          />
        ))}
      </div>
      {fault !== undefined && <p className={styles.fault}>{fault}</p>}
      {warning !== undefined && <p className={styles.warning}>{warning}</p>}
      {hint !== undefined && <p className={styles.hint}>{hint}</p>}
    </fieldset>
  );
}
