/** The fields of a connector's way to sign in. The secrets that there are are offered by name. */
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useToldIn } from "../editor/faults.tsx";
import { TextField } from "../editor/fields.tsx";
import { allSecretsQuery } from "../secrets/secret-queries.ts";
import { Button } from "../ui/button.tsx";
import { type ConnectorDraft, type HeaderDraft, placeholder, secretName } from "./connector-words.ts";
import styles from "./connectors.module.css";

const HEADERS_AT_MOST = 10;

interface AuthFieldsProps {
  draft: ConnectorDraft;
  set: (change: Partial<ConnectorDraft>) => void;
}

export function AuthFields({ draft, set }: AuthFieldsProps) {
  const secrets = (useQuery(allSecretsQuery).data ?? []).map(({ name }) => name);
  const [hadClient] = useState(draft.client_id !== "" || draft.scope !== "");
  switch (draft.type) {
    case "none":
      return null;
    case "bearer":
      return (
        <TextField
          label="Secret with the token"
          path="auth.token"
          hint="Its name; the value is set under Secrets, and sent from outside of the sandbox"
          value={draft.token}
          options={secrets}
          placeholder="LINEAR_TOKEN"
          onChange={(token) => set({ token: secretName(token) })}
        />
      );
    case "header":
      return <HeaderFields headers={draft.headers} secrets={secrets} onChange={(headers) => set({ headers })} />;
    case "oauth":
      return (
        <details className={styles.more} open={hadClient}>
          <summary>Where the server lets nobody register by themselves</summary>
          <div className={styles.fields}>
            <TextField
              label="Client id"
              path="auth.client_id"
              hint={`Of a client that you have registered there, with the redirect address ${callbackAddress()}. Empty: the instance registers itself.`}
              value={draft.client_id}
              onChange={(client_id) => set({ client_id })}
            />
            <TextField
              label="Secret with the client’s secret"
              path="auth.client_secret"
              hint="Its name; empty where the client has none"
              value={draft.client_secret}
              options={secrets}
              onChange={(client_secret) => set({ client_secret: secretName(client_secret) })}
            />
            <TextField
              label="Scopes"
              path="auth.scope"
              hint="With one space between them, in place of those that the server names"
              value={draft.scope}
              onChange={(scope) => set({ scope })}
            />
          </div>
        </details>
      );
  }
}

function callbackAddress(): string {
  return `${location.origin}/oauth/callback`;
}

interface HeaderFieldsProps {
  headers: readonly HeaderDraft[];
  secrets: readonly string[];
  onChange: (headers: HeaderDraft[]) => void;
}

function HeaderFields({ headers, secrets, onChange }: HeaderFieldsProps) {
  const told = useToldIn("auth.headers");
  const change = (place: number, header: HeaderDraft) => onChange(headers.with(place, header));
  return (
    <fieldset className={styles.headers}>
      <legend>Headers</legend>
      {headers.map((header, place) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a header has no name while it is written, and its fields hold nothing of their own
        <div key={place} className={styles.header}>
          <TextField
            label={`Header ${place + 1}`}
            path={`auth.headers[${place}].name`}
            value={header.name}
            placeholder="X-Api-Key"
            onChange={(name) => change(place, { ...header, name })}
          />
          <TextField
            label={`Value ${place + 1}`}
            path={`auth.headers[${place}].value`}
            value={header.value}
            options={secrets.map(placeholder)}
            placeholder="{{ACME_KEY}}"
            onChange={(value) => change(place, { ...header, value })}
          />
          <Button
            size="sm"
            variant="ghost"
            aria-label={`Remove header ${place + 1}`}
            onClick={() => onChange(headers.toSpliced(place, 1))}
          >
            Remove
          </Button>
        </div>
      ))}
      {told !== undefined && (
        <p className={styles.fault} role="alert">
          {told}
        </p>
      )}
      <p className={styles.hint}>
        {"{{NAME}}"} stands for a secret; one value at least has to name one. Whoever sees connectors reads what is
        written out here.
      </p>
      {headers.length < HEADERS_AT_MOST && (
        <div>
          <Button size="sm" onClick={() => onChange([...headers, { name: "", value: "" }])}>
            Add a header
          </Button>
        </div>
      )}
    </fieldset>
  );
}
