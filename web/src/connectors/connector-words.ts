/** Pure: what is said of a connector, and what is edited of one. */
import type { ConnectorToolRules } from "#protocol/connector.ts";
import type { OauthClientKind } from "#protocol/connector-oauth.ts";
import type { Connector, ConnectorAuth } from "../client/generated.ts";
import { plural } from "../format/amounts.ts";
import type { Label } from "../format/status.ts";

/** What its status is told by. */
export type Looked = Pick<Connector, "status" | "checked_at"> & { auth: Pick<ConnectorAuth, "type"> };

export function statusLabel({ status, checked_at, auth }: Looked): Label {
  if (checked_at === null) return { text: "Not looked at yet", tone: "neutral" };
  switch (status) {
    case "ready":
      return { text: "Ready", tone: "success" };
    case "needs_login":
      return { text: auth.type === "oauth" ? "Needs a login" : "Needs a credential", tone: "warning" };
    case "unreachable":
      return { text: "Unreachable", tone: "danger" };
  }
}

export function signInWords(auth: ConnectorAuth): string {
  switch (auth.type) {
    case "none":
      return "With no credential";
    case "bearer":
      return `With the token in ${secretName(auth.token)}`;
    case "header":
      return `With ${Object.keys(auth.headers).join(", ")}`;
    case "oauth":
      return "With a person’s login";
  }
}

export const CLIENT_WORDS: Record<OauthClientKind, string> = {
  given: "As the client that is set here",
  metadata_document: "By the instance’s own document",
  registered: "Registered by itself",
};

export function toolCount({ tools }: { tools: readonly unknown[] }): string {
  return tools.length === 0 ? "No tools known" : plural(tools.length, "tool");
}

/** `ACME_TOKEN` of `{{ACME_TOKEN}}`; what is no placeholder stays as it is. */
export function secretName(text: string): string {
  return /^\{\{ *([^{} ]+) *\}\}$/.exec(text.trim())?.[1] ?? text.trim();
}

export function placeholder(name: string): string {
  return name === "" ? "" : `{{${secretName(name)}}}`;
}

/** @returns what a routine lets its runs do there, as a phrase; null where that is everything. */
export function rulesWords({ allow, deny, read_only }: ConnectorToolRules): string | null {
  const parts = [
    ...(allow === undefined ? [] : [allow.length === 0 ? "no tool" : `only ${allow.join(", ")}`]),
    ...(deny === undefined || deny.length === 0 ? [] : [`not ${deny.join(", ")}`]),
    ...(read_only === true ? ["only what changes nothing"] : []),
  ];
  return parts.length === 0 ? null : parts.join("; ");
}

/** What the form has of a connector: all kinds of signing in side by side, so that none is lost by looking at another. */
export interface ConnectorDraft {
  name: string;
  url: string;
  type: ConnectorAuth["type"];
  /** Of a secret. */
  token: string;
  headers: readonly HeaderDraft[];
  client_id: string;
  /** Of a secret. */
  client_secret: string;
  scope: string;
}

export interface HeaderDraft {
  name: string;
  value: string;
}

export const NEW_CONNECTOR: ConnectorDraft = {
  name: "",
  url: "",
  type: "none",
  token: "",
  headers: [{ name: "", value: "" }],
  client_id: "",
  client_secret: "",
  scope: "",
};

export function draftOfConnector({ name, url, auth }: Pick<Connector, "name" | "url" | "auth">): ConnectorDraft {
  const draft = { ...NEW_CONNECTOR, name, url, type: auth.type };
  switch (auth.type) {
    case "none":
      return draft;
    case "bearer":
      return { ...draft, token: secretName(auth.token) };
    case "header":
      return { ...draft, headers: Object.entries(auth.headers).map(([header, value]) => ({ name: header, value })) };
    case "oauth": {
      const { client_id = "", client_secret = "", scope = "" } = auth;
      return { ...draft, client_id, client_secret: secretName(client_secret), scope };
    }
  }
}

/** As it is sent. */
export function inputOf(draft: ConnectorDraft): Pick<Connector, "name" | "url" | "auth"> {
  return { name: draft.name.trim(), url: draft.url.trim(), auth: authOf(draft) };
}

function authOf({ type, token, headers, client_id, client_secret, scope }: ConnectorDraft): ConnectorAuth {
  switch (type) {
    case "none":
      return { type };
    case "bearer":
      return { type, token: placeholder(token) };
    case "header": {
      const written = headers.filter(({ name, value }) => name.trim() !== "" || value.trim() !== "");
      return { type, headers: Object.fromEntries(written.map(({ name, value }) => [name.trim(), value.trim()])) };
    }
    case "oauth":
      return {
        type,
        ...(client_id.trim() === "" ? {} : { client_id: client_id.trim() }),
        ...(client_secret.trim() === "" ? {} : { client_secret: placeholder(client_secret) }),
        ...(scope.trim() === "" ? {} : { scope: scope.trim() }),
      };
  }
}

/** Texts in which a draft names secrets, as they will be sent. */
export function textsWithSecrets(draft: ConnectorDraft): Record<string, string> {
  const auth = authOf(draft);
  if (auth.type === "bearer") return { token: auth.token };
  if (auth.type === "header") return auth.headers;
  return auth.type === "oauth" && auth.client_secret !== undefined ? { client_secret: auth.client_secret } : {};
}

/** Of two headers of one name only the last would be sent. */
export function headerFault({ type, headers }: ConnectorDraft): string | undefined {
  if (type !== "header") return undefined;
  const names = headers.map(({ name }) => name.trim().toLowerCase()).filter((name) => name !== "");
  const twice = names.find((name, place) => names.indexOf(name) !== place);
  return twice === undefined ? undefined : `${twice} is there twice: each header has one value.`;
}
