/** What can be set of an environment. */
import { useQuery } from "@tanstack/react-query";
import { type FormEvent, type ReactNode, useState } from "react";
import type { ContainerSize } from "#protocol/container-size.ts";
import { ToldProvider } from "../editor/faults.tsx";
import { LinesField, SelectField, TextField } from "../editor/fields.tsx";
import { PairsField } from "../editor/pairs-field.tsx";
import { asProblem } from "../problem.ts";
import { allSecretsQuery } from "../secrets/secret-queries.ts";
import { Button } from "../ui/button.tsx";
import { OneOf } from "../ui/choices.tsx";
import { ErrorNotice } from "../ui/error-state.tsx";
import { Field } from "../ui/field.tsx";
import { CONTAINER_SIZES, type EnvironmentDraft, NETWORK_LEVELS } from "./environment-words.ts";
import styles from "./environments.module.css";
import { MissingSecrets } from "./missing-secrets.tsx";

const LEVELS = (["none", "trusted", "custom", "full"] as const).map((value) => ({
  value,
  text: (
    <span className={styles.level}>
      {NETWORK_LEVELS[value].title}
      <small>{NETWORK_LEVELS[value].what}</small>
    </span>
  ),
}));

const INSTANCE_OWN = "";
const SIZES: { value: ContainerSize | typeof INSTANCE_OWN; text: string }[] = [
  { value: INSTANCE_OWN, text: "The instance’s own" },
  ...CONTAINER_SIZES.map((value) => ({ value, text: value })),
];

interface EnvironmentFormProps {
  draft: EnvironmentDraft;
  onChange: (draft: EnvironmentDraft) => void;
  /** `default` keeps its name. */
  hasFixedName: boolean;
  onSave: () => void;
  isSaving: boolean;
  error: unknown;
  saveLabel: string;
  actions?: ReactNode;
}

export function EnvironmentForm(props: EnvironmentFormProps) {
  const { draft, onChange, hasFixedName, isSaving, error, saveLabel, actions } = props;
  const problem = error === null ? null : asProblem(error);
  const set = (change: Partial<EnvironmentDraft>) => onChange({ ...draft, ...change });

  function submit(event: FormEvent) {
    event.preventDefault();
    if (!isSaving) props.onSave();
  }

  return (
    <ToldProvider value={{ faults: problem?.issues ?? [], warnings: [] }}>
      <form className={styles.form} onSubmit={submit} noValidate>
        {!hasFixedName && (
          <TextField
            label="Name"
            path="name"
            hint="Lower-case letters, digits and dashes; routines name it so"
            value={draft.name}
            placeholder="ci"
            onChange={(name) => set({ name: name.trim() })}
          />
        )}
        <OneOf
          legend="What runs may reach"
          options={LEVELS}
          value={draft.network.level}
          onChange={(level) => set({ network: { ...draft.network, level } })}
        />
        {(draft.network.level === "trusted" || draft.network.level === "custom") && (
          <LinesField
            label={draft.network.level === "custom" ? "Hosts" : "More hosts"}
            path="network"
            hint="One on each line; *.example.com stands for every name below example.com"
            placeholder="files.example.com"
            value={draft.network.allow}
            onChange={(allow) => set({ network: { ...draft.network, allow } })}
          />
        )}
        <PairsField
          label="Variables"
          path="variables"
          hint="One on each line. {{NAME}} stands for a secret, which whatever runs in the sandbox can then read."
          placeholder="LOG_LEVEL=debug"
          value={draft.variables}
          onChange={(variables) => set({ variables })}
        />
        <SecretNames variables={draft.variables} onAdd={(variables) => set({ variables })} />
        <MissingSecrets variables={draft.variables} />
        <SetupField draft={draft} set={set} />
        <SelectField
          label="Size of the container"
          path="instance"
          hint="Counts where runs work in containers of the instance"
          value={draft.instance ?? INSTANCE_OWN}
          options={SIZES}
          onChange={(size) => set({ instance: size === INSTANCE_OWN ? null : size })}
        />
        {problem !== null && <ErrorNotice title="The environment was not saved." error={problem} />}
        <div className={styles.actions}>
          <Button variant="primary" type="submit" isBusy={isSaving}>
            {saveLabel}
          </Button>
          {actions}
        </div>
      </form>
    </ToldProvider>
  );
}

function SetupField({ draft, set }: { draft: EnvironmentDraft; set: (change: Partial<EnvironmentDraft>) => void }) {
  return (
    <Field
      label="Setup script"
      hint="For a shell, before the agent starts; what it makes is kept for the next runs. Empty: none."
    >
      <textarea
        rows={Math.min(Math.max((draft.setup ?? "").split("\n").length + 1, 3), 12)}
        spellCheck={false}
        value={draft.setup ?? ""}
        placeholder="npm install --global --prefix ~/.local pnpm@10"
        onChange={({ target }) => set({ setup: target.value })}
      />
    </Field>
  );
}

/** The secrets that there are, each added as a variable of its name with one press. */
function SecretNames({
  variables,
  onAdd,
}: {
  variables: Record<string, string>;
  onAdd: (variables: Record<string, string>) => void;
}) {
  const secrets = useQuery(allSecretsQuery).data ?? [];
  const [isOpen, setOpen] = useState(false);
  const open = secrets.filter(({ name }) => !Object.hasOwn(variables, name));
  if (open.length === 0) return null;
  return (
    <div className={styles.names}>
      <Button size="sm" variant="ghost" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
        Add a secret
      </Button>
      {isOpen &&
        open.map(({ name }) => (
          <Button
            key={name}
            size="sm"
            aria-label={`Add ${name}`}
            onClick={() => onAdd({ ...variables, [name]: `{{${name}}}` })}
          >
            <code>{name}</code>
          </Button>
        ))}
    </div>
  );
}
