/** Boxes and circles to choose with, under one legend. */
import { type ReactNode, useId } from "react";
import { classNames } from "./class-names.ts";
import styles from "./form.module.css";

interface ChoicesProps<Value extends string> {
  legend: string;
  options: readonly { value: Value; text: ReactNode }[];
  hint?: string;
}

interface OneOfProps<Value extends string> extends ChoicesProps<Value> {
  value: Value;
  onChange: (value: Value) => void;
}

export function OneOf<Value extends string>({ legend, options, hint, value, onChange }: OneOfProps<Value>) {
  const name = useId();
  return (
    <fieldset className={styles.choices}>
      <legend>{legend}</legend>
      {options.map((option) => (
        <label key={option.value} className={styles.choice}>
          <input type="radio" name={name} checked={option.value === value} onChange={() => onChange(option.value)} />
          <span>{option.text}</span>
        </label>
      ))}
      {hint !== undefined && <p className={styles.hint}>{hint}</p>}
    </fieldset>
  );
}

interface SomeOfProps<Value extends string> extends ChoicesProps<Value> {
  value: readonly Value[];
  onChange: (value: Value[]) => void;
  /** Whether there may be so many that they scroll. */
  scrolls?: boolean;
}

export function SomeOf<Value extends string>({
  legend,
  options,
  hint,
  value,
  onChange,
  scrolls = false,
}: SomeOfProps<Value>) {
  const boxes = options.map((option) => (
    <label key={option.value} className={styles.choice}>
      <input
        type="checkbox"
        checked={value.includes(option.value)}
        onChange={({ target }) =>
          onChange(target.checked ? [...value, option.value] : value.filter((each) => each !== option.value))
        }
      />
      <span>{option.text}</span>
    </label>
  ));
  return (
    <fieldset className={styles.choices}>
      <legend>{legend}</legend>
      {scrolls ? <div className={classNames(styles.choices, styles.many)}>{boxes}</div> : boxes}
      {hint !== undefined && <p className={styles.hint}>{hint}</p>}
    </fieldset>
  );
}
