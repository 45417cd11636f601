/** Conditions on what comes, all of which must hold, and how they judge what came lately. */
import { useState } from "react";
import type { Filter, FilterOperator } from "#protocol/filters.ts";
import { Button } from "../../ui/button.tsx";
import { Check } from "../checks.tsx";
import styles from "../editor.module.css";
import { ToldHere } from "../faults.tsx";
import { SelectField, TextField } from "../fields.tsx";
import { type Listening, NEW_COALESCE, withOperator } from "./kinds.ts";
import { Trials } from "./trials.tsx";

const OPERATORS: { value: FilterOperator; text: string }[] = [
  { value: "equals", text: "is" },
  { value: "is_one_of", text: "is one of" },
  { value: "is_not_one_of", text: "is none of" },
  { value: "contains", text: "contains" },
  { value: "starts_with", text: "starts with" },
  { value: "matches_regex", text: "matches the expression" },
  { value: "exists", text: "is there" },
];

export interface KnownField {
  field: string;
  what: string;
}

interface FiltersProps<Trigger extends Listening> {
  trigger: Trigger;
  path: string;
  onChange: (trigger: Trigger) => void;
  fields: readonly KnownField[];
}

export function Filters<Trigger extends Listening>({ trigger, path, onChange, fields }: FiltersProps<Trigger>) {
  const { filters } = trigger;
  const [isTried, setTried] = useState(false);
  const set = (next: Filter[]) => onChange({ ...trigger, filters: next });
  return (
    <fieldset className={styles.group}>
      <legend>Only when all of these hold</legend>
      <ToldHere path={`${path}.filters`} />
      {filters.map((filter, place) => (
        <FilterRow
          // biome-ignore lint/suspicious/noArrayIndexKey: a filter has no name but its place, and its fields hold nothing of their own
          key={place}
          filter={filter}
          path={`${path}.filters[${place}]`}
          number={place + 1}
          fields={fields}
          onChange={(next) => set(filters.with(place, next))}
          onRemove={() => set(filters.toSpliced(place, 1))}
        />
      ))}
      <div className={styles.bar}>
        <Button
          size="sm"
          onClick={() => set([...filters, { field: fields[0]?.field ?? "", operator: "equals", value: "" }])}
        >
          Add a condition
        </Button>
        <Button size="sm" variant="ghost" aria-expanded={isTried} onClick={() => setTried(!isTried)}>
          Try on recent deliveries
        </Button>
      </div>
      {isTried && <Trials trigger={trigger} />}
      <CoalesceFields trigger={trigger} path={path} onChange={onChange} fields={fields} />
    </fieldset>
  );
}

interface FilterRowProps {
  filter: Filter;
  path: string;
  number: number;
  fields: readonly KnownField[];
  onChange: (filter: Filter) => void;
  onRemove: () => void;
}

function FilterRow({ filter, path, number, fields, onChange, onRemove }: FilterRowProps) {
  const { field, operator, value } = filter;
  const known = fields.find((one) => one.field === field);
  const isList = operator === "is_one_of" || operator === "is_not_one_of";
  return (
    <div className={styles.filter}>
      <TextField
        label={`Field ${number}`}
        path={`${path}.field`}
        hint={known?.what}
        value={field}
        options={fields.map((one) => one.field)}
        onChange={(next) => onChange({ ...filter, field: next })}
      />
      <SelectField
        label={`Condition ${number}`}
        path={`${path}.operator`}
        value={operator}
        options={OPERATORS}
        onChange={(next) => onChange(withOperator(filter, next))}
      />
      {operator === "exists" ? (
        <Check
          label="is there"
          path={`${path}.value`}
          isChecked={value}
          onChange={(next) => onChange({ field, operator, value: next })}
        />
      ) : (
        <TextField
          label={isList ? `Values ${number}` : `Value ${number}`}
          path={`${path}.value`}
          hasParts={isList}
          hint={isList ? "Separated by commas" : undefined}
          value={Array.isArray(value) ? value.join(", ") : String(value)}
          onChange={(next) => onChange(withValue(filter, next))}
        />
      )}
      <Button size="sm" variant="ghost" aria-label={`Remove condition ${number}`} onClick={onRemove}>
        Remove
      </Button>
    </div>
  );
}

/** A text that says a boolean or a number equals those too. */
function withValue(filter: Filter, text: string): Filter {
  const { field, operator } = filter;
  switch (operator) {
    case "is_one_of":
    case "is_not_one_of":
      return { field, operator, value: text === "" ? [] : text.split(/, ?/) };
    case "exists":
      return filter;
    default:
      return { field, operator, value: text };
  }
}

function CoalesceFields<Trigger extends Listening>({ trigger, path, onChange, fields }: FiltersProps<Trigger>) {
  const { coalesce } = trigger;
  const set = (next: NonNullable<Listening["coalesce"]>) => onChange({ ...trigger, coalesce: next });
  return (
    <>
      <Check
        label="Several events in a short time wait for one run"
        isChecked={coalesce !== undefined}
        onChange={(isChecked) => onChange({ ...trigger, coalesce: isChecked ? NEW_COALESCE : undefined })}
      />
      {coalesce !== undefined && (
        <div className={styles.row}>
          <TextField
            label="It starts so long after the last"
            path={`${path}.coalesce.window`}
            hint="For example 60s or 5m"
            value={coalesce.window}
            onChange={(window) => set({ ...coalesce, window })}
          />
          <TextField
            label="Events that agree in"
            path={`${path}.coalesce.key`}
            hint="Optional: without a field, all wait together"
            value={coalesce.key ?? ""}
            options={fields.map((one) => one.field)}
            onChange={(key) => set(without(coalesce, "key", key))}
          />
          <TextField
            label="But no later after the first than"
            path={`${path}.coalesce.max_wait`}
            hint="Optional: without it ten times as long as after the last"
            value={coalesce.max_wait ?? ""}
            onChange={(wait) => set(without(coalesce, "max_wait", wait))}
          />
        </div>
      )}
    </>
  );
}

/** With what was written, or without the key where nothing is. */
function without({ ...coalesce }: NonNullable<Listening["coalesce"]>, key: "key" | "max_wait", written: string) {
  if (written !== "") return { ...coalesce, [key]: written };
  delete coalesce[key];
  return coalesce;
}
