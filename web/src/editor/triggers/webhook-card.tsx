/** A service that calls the trigger's own address: which, what of it counts, and how it is set up there. */
import { useQuery } from "@tanstack/react-query";
import { lazy, Suspense, useState } from "react";
import type { GenericAuth, PubsubAuth } from "#protocol/triggers.ts";
import type { WebhookSource } from "#protocol/webhook-sources.ts";
import { CopyButton } from "../../ui/copy-button.tsx";
import { Check } from "../checks.tsx";
import styles from "../editor.module.css";
import { listenersQuery } from "../editor-queries.ts";
import { LinesField, SelectField, TextField } from "../fields.tsx";
import { useRoutineInEditor } from "../routine-context.ts";
import { Row } from "../section.tsx";
import { EndpointSecret } from "./endpoint-secret.tsx";
import { Filters } from "./filters.tsx";
import { HandedOver } from "./handed-over.tsx";
import { type WebhookInput, withSource } from "./kinds.ts";

const Markdown = lazy(async () => ({ default: (await import("../../session/text/markdown.tsx")).Markdown }));

interface CardProps {
  trigger: WebhookInput;
  path: string;
  onChange: (trigger: WebhookInput) => void;
}

export function WebhookCard({ trigger, path, onChange }: CardProps) {
  const { data } = useQuery(listenersQuery());
  const listeners = data?.data ?? [];
  const listener = listeners.find(({ source }) => source === trigger.source);
  const sources = listeners.map(({ source, title }) => ({ value: source as WebhookSource, text: title }));
  return (
    <>
      <SelectField
        label="Service"
        path={`${path}.source`}
        value={trigger.source}
        options={sources.length === 0 ? [{ value: trigger.source, text: trigger.source }] : sources}
        onChange={(source) => onChange(withSource(trigger, source))}
      />
      {trigger.source === "generic" && <GenericAuthFields trigger={trigger} path={path} onChange={onChange} />}
      {trigger.pubsub !== undefined && (
        <PubsubFields
          pubsub={trigger.pubsub}
          path={`${path}.pubsub`}
          onChange={(pubsub) => onChange({ ...trigger, pubsub })}
        />
      )}
      {trigger.source === "slack" && (
        <Check
          label="What other apps' bots write wakes it too"
          path={`${path}.allow_bots`}
          isChecked={trigger.allow_bots ?? false}
          onChange={(allow_bots) => onChange({ ...trigger, allow_bots })}
        />
      )}
      <LinesField
        label="Events"
        path={`${path}.events`}
        hint="One on each line, by the names that the service has for them. None: all of them."
        value={trigger.events ?? []}
        onChange={(events) => onChange(withEvents(trigger, events))}
      />
      <Endpoint trigger={trigger} secretFrom={listener?.secret_from ?? "reveille"} title={listener?.title ?? ""} />
      {listener !== undefined && <Steps trigger={trigger} steps={listener.set_up} title={listener.title} />}
      <Filters trigger={trigger} path={path} onChange={onChange} fields={listener?.fields ?? []} />
    </>
  );
}

function withEvents({ events: _before, ...trigger }: WebhookInput, events: string[]): WebhookInput {
  return events.length === 0 ? trigger : { ...trigger, events };
}

const SIGNS = [
  { value: "bearer", text: "A token in the Authorization header" },
  { value: "hmac", text: "A signature in a header of its own" },
] as const;
const ALGORITHMS = [
  { value: "sha256", text: "HMAC with SHA-256" },
  { value: "sha512", text: "HMAC with SHA-512" },
] as const;
const ENCODINGS = [
  { value: "hex", text: "Hexadecimal" },
  { value: "base64", text: "Base64" },
] as const;
const NEW_HMAC: GenericAuth = {
  kind: "hmac",
  header: "X-Signature-256",
  prefix: "sha256=",
  algorithm: "sha256",
  encoding: "hex",
};

function GenericAuthFields({ trigger, path, onChange }: CardProps) {
  const { auth = { kind: "bearer" } } = trigger;
  return (
    <Row>
      <SelectField
        label="How the sender shows who it is"
        path={`${path}.auth`}
        value={auth.kind}
        options={SIGNS}
        onChange={(kind) => onChange({ ...trigger, auth: kind === "hmac" ? NEW_HMAC : { kind } })}
      />
      {auth.kind === "hmac" && (
        <>
          <TextField
            label="Header"
            path={`${path}.auth.header`}
            value={auth.header}
            onChange={(header) => onChange({ ...trigger, auth: { ...auth, header } })}
          />
          <TextField
            label="Before the signature"
            path={`${path}.auth.prefix`}
            value={auth.prefix}
            onChange={(prefix) => onChange({ ...trigger, auth: { ...auth, prefix } })}
          />
          <SelectField
            label="By"
            path={`${path}.auth.algorithm`}
            value={auth.algorithm}
            options={ALGORITHMS}
            onChange={(algorithm) => onChange({ ...trigger, auth: { ...auth, algorithm } })}
          />
          <SelectField
            label="Written as"
            path={`${path}.auth.encoding`}
            value={auth.encoding}
            options={ENCODINGS}
            onChange={(encoding) => onChange({ ...trigger, auth: { ...auth, encoding } })}
          />
        </>
      )}
    </Row>
  );
}

interface PubsubFieldsProps {
  pubsub: PubsubAuth;
  path: string;
  onChange: (pubsub: PubsubAuth) => void;
}

function PubsubFields({ pubsub, path, onChange }: PubsubFieldsProps) {
  const { audience, ...others } = pubsub;
  return (
    <Row>
      <TextField
        label="Service account"
        path={`${path}.service_account`}
        hint="Whose token Google sends with each message, by its address"
        value={pubsub.service_account}
        onChange={(service_account) => onChange({ ...pubsub, service_account })}
      />
      <TextField
        label="Audience"
        path={`${path}.audience`}
        hint="Optional: without it the trigger’s own address"
        value={audience ?? ""}
        onChange={(next) => onChange(next === "" ? others : { ...others, audience: next })}
      />
    </Row>
  );
}

interface EndpointProps {
  trigger: WebhookInput;
  secretFrom: "reveille" | "source" | "nobody";
  title: string;
}

function Endpoint({ trigger, secretFrom, title }: EndpointProps) {
  const { id, saved } = useRoutineInEditor();
  const kept = saved.find((one) => one.id === trigger.id && one.type === "webhook" && one.source === trigger.source);
  if (id === null || kept === undefined || kept.endpoint === null) {
    return (
      <p className={styles.hint}>Save the routine first: then its address is shown here, and its secret is set.</p>
    );
  }
  const { endpoint } = kept;
  return (
    <div className={styles.endpoint}>
      <p className={styles.onceHead}>
        <strong>Address</strong>
        <code>{endpoint.url}</code>
        <CopyButton text={endpoint.url} label="Copy address" />
      </p>
      {secretFrom !== "nobody" && (
        <EndpointSecret
          routineId={id}
          triggerId={kept.id}
          hasSecret={endpoint.has_secret}
          isOfSource={secretFrom === "source"}
          title={title}
        />
      )}
      {endpoint.secrets_handed_over !== undefined && <HandedOver routineId={id} triggerId={kept.id} title={title} />}
    </div>
  );
}

function Steps({ trigger, steps, title }: { trigger: WebhookInput; steps: readonly string[]; title: string }) {
  const [wasOpened, setOpened] = useState(false);
  const text = steps
    .map((step, place) => `${place + 1}. ${step.replaceAll("TRIGGER_ID", trigger.id ?? "…")}`)
    .join("\n");
  return (
    <details className={styles.steps} onToggle={({ currentTarget }) => currentTarget.open && setOpened(true)}>
      <summary>How it is set up: {title}</summary>
      {wasOpened && (
        <Suspense>
          <Markdown text={text} />
        </Suspense>
      )}
    </details>
  );
}
