/** What can be set of a connector: its name, its address, and how the instance signs in there. */
import { type FormEvent, type ReactNode, useState } from "react";
import { ToldProvider } from "../editor/faults.tsx";
import { TextField } from "../editor/fields.tsx";
import { MissingSecrets } from "../environments/missing-secrets.tsx";
import { asProblem } from "../problem.ts";
import { Button } from "../ui/button.tsx";
import { OneOf } from "../ui/choices.tsx";
import { ErrorNotice } from "../ui/error-state.tsx";
import { AuthFields } from "./auth-fields.tsx";
import { type ConnectorDraft, headerFault, textsWithSecrets } from "./connector-words.ts";
import styles from "./connectors.module.css";

const KINDS = [
  { value: "none", title: "With nothing", what: "Whoever knows the address may use it." },
  { value: "bearer", title: "With a token", what: "Sent as Authorization: Bearer …; it is kept as a secret." },
  { value: "header", title: "With headers of your own", what: "X-Api-Key and others like it." },
  {
    value: "oauth",
    title: "With a person’s login (OAuth)",
    what: "Once it is made, somebody logs in; runs act there as that person.",
  },
] as const;

const OPTIONS = KINDS.map(({ value, title, what }) => ({
  value,
  text: (
    <span className={styles.kind}>
      {title}
      <small>{what}</small>
    </span>
  ),
}));

interface ConnectorFormProps {
  draft: ConnectorDraft;
  onChange: (draft: ConnectorDraft) => void;
  onSave: () => void;
  isSaving: boolean;
  error: unknown;
  errorTitle: string;
  saveLabel: string;
  /** Why its name stays as it is, where it does. */
  nameHint?: string | undefined;
  actions?: ReactNode;
}

export function ConnectorForm(props: ConnectorFormProps) {
  const { draft, onChange, isSaving, error, errorTitle, saveLabel, nameHint, actions } = props;
  const [isTried, setTried] = useState(false);
  const problem = error === null ? null : asProblem(error);
  const own = isTried ? headerFault(draft) : undefined;
  const faults = [...(problem?.issues ?? []), ...(own === undefined ? [] : [{ field: "auth.headers", message: own }])];
  const set = (change: Partial<ConnectorDraft>) => onChange({ ...draft, ...change });

  function submit(event: FormEvent) {
    event.preventDefault();
    setTried(true);
    if (!isSaving && headerFault(draft) === undefined) props.onSave();
  }

  return (
    <ToldProvider value={{ faults, warnings: [] }}>
      <form className={styles.form} onSubmit={submit} noValidate>
        <TextField
          label="Name"
          path="name"
          hint={
            nameHint ?? "Lower-case letters, digits and dashes; routines name it so, and its tools are called by it"
          }
          value={draft.name}
          placeholder="linear"
          onChange={(name) => set({ name })}
        />
        <TextField
          label="Address"
          path="url"
          hint="Where the server takes MCP over Streamable HTTP"
          value={draft.url}
          placeholder="https://mcp.example.com/mcp"
          onChange={(url) => set({ url })}
        />
        <OneOf
          legend="How the instance signs in there"
          options={OPTIONS}
          value={draft.type}
          onChange={(type) => set({ type })}
        />
        <AuthFields draft={draft} set={set} />
        <MissingSecrets variables={textsWithSecrets(draft)} />
        {problem !== null && <ErrorNotice title={errorTitle} error={problem} />}
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
