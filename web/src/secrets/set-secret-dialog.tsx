/** Sets a secret: a new one, or another value for one that there is. */
import { useQuery } from "@tanstack/react-query";
import { type FormEvent, useId, useState } from "react";
import type { Secret, SecretScope } from "../client/generated.ts";
import { asProblem } from "../problem.ts";
import { Button } from "../ui/button.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { ErrorNotice } from "../ui/error-state.tsx";
import { Field } from "../ui/field.tsx";
import styles from "../ui/form.module.css";
import { ScopeField } from "./scope-field.tsx";
import { allSecretsQuery } from "./secret-queries.ts";
import { nameFault, valueWarning } from "./secret-words.ts";
import { useSetSecret } from "./use-secrets.ts";

interface SetSecretDialogProps {
  isOpen: boolean;
  onClose: () => void;
  /** The one that gets another value; a new one is set without it. */
  secret?: Secret;
  /** A name to begin with. */
  suggested?: string;
}

export function SetSecretDialog({ isOpen, onClose, secret, suggested = "" }: SetSecretDialogProps) {
  const formId = useId();
  const [name, setName] = useState(secret?.name ?? suggested);
  const [value, setValue] = useState("");
  // As it has been chosen here; until then that of a secret that there is stays.
  const [scope, setScope] = useState<SecretScope>();
  const all = useQuery({ ...allSecretsQuery, enabled: isOpen && secret === undefined });
  const present = secret ?? all.data?.find((one) => one.name === name);
  const [isTried, setTried] = useState(false);
  const setting = useSetSecret();
  const told = setting.isError ? asProblem(setting.error).issues : [];
  const valueTold = told.find(({ field }) => field === "value")?.message;

  function close() {
    setValue("");
    setScope(undefined);
    setTried(false);
    setting.reset();
    onClose();
  }

  function submit(event: FormEvent) {
    event.preventDefault();
    setTried(true);
    if (setting.isPending || nameFault(name) !== undefined || value === "") return;
    setting.mutate(
      { name, value, scope },
      {
        onSuccess: () => {
          if (secret === undefined) setName("");
          close();
        },
      },
    );
  }

  return (
    <Dialog
      isOpen={isOpen}
      onOpenChange={close}
      title={secret === undefined ? "Set a secret" : `Another value for ${secret.name}`}
      description="Runs that begin from now on are given this value. It is encrypted, and never shown again."
      closeLabel="Cancel"
      action={
        <Button variant="primary" type="submit" form={formId} isBusy={setting.isPending}>
          Set secret
        </Button>
      }
    >
      <form id={formId} className={styles.stack} onSubmit={submit} noValidate>
        {secret === undefined && (
          <Field
            label="Name"
            hint="As variables name it."
            warning={present === undefined ? undefined : "It is there already: this takes the place of its value."}
            fault={isTried ? nameFault(name) : undefined}
          >
            <input
              type="text"
              value={name}
              placeholder="ACME_TOKEN"
              autoComplete="off"
              spellCheck={false}
              onChange={(event) => setName(event.target.value.trim())}
            />
          </Field>
        )}
        <Field
          label="Value"
          fault={valueTold ?? (isTried && value === "" ? "Give it a value." : undefined)}
          warning={valueWarning(value)}
        >
          <textarea
            rows={3}
            value={value}
            autoComplete="off"
            spellCheck={false}
            onChange={(event) => setValue(event.target.value)}
          />
        </Field>
        <ScopeField scope={scope ?? present?.scope ?? {}} onChange={setScope} />
      </form>
      {setting.isError && <ErrorNotice title="The secret was not set." error={setting.error} />}
    </Dialog>
  );
}
