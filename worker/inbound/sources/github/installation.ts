/** What a GitHub App has been given, has lost, and may be told of. Pure; nothing throws. */
import type { Json } from "#protocol/schema.ts";
import { isObject, textAt, valueAt } from "../payload.ts";
import { idAt } from "./pull-request.ts";

export interface InstallationChange {
  installation_id: number;
  /** The account that it is installed on. */
  account: string;
  added: { id: number; full_name: string; is_private: boolean }[];
  removed: { id: number }[];
  /** The whole installation is gone. */
  deleted: boolean;
  /** Null where the event does not tell. */
  suspended: boolean | null;
  /** The events that it is sent; null where the event does not tell. */
  events: string[] | null;
  /** When the installation was last changed, as the payload has it, in Unix milliseconds: events overtake each other. */
  told_at: number | null;
}

/** @returns null for every event but `installation` and `installation_repositories`, and for those without an id or account. */
export function readInstallation(name: string, payload: Json): InstallationChange | null {
  if (name !== "installation" && name !== "installation_repositories") return null;
  const id = idAt(payload, "installation.id");
  const account = textAt(payload, "installation.account.login") ?? textAt(payload, "installation.account.slug");
  if (id === null || account === null) return null;
  const action = name === "installation" ? textAt(payload, "action") : null;
  const deleted = action === "deleted";
  const all = deleted ? [] : repositoriesAt(payload, "repositories");
  return {
    installation_id: id,
    account,
    added: [...all, ...repositoriesAt(payload, "repositories_added")],
    removed: [...removedAt(payload, "repositories_removed"), ...(deleted ? removedAt(payload, "repositories") : [])],
    deleted,
    suspended: suspendedAt(action, valueAt(payload, "installation.suspended_at")),
    events: textsAt(payload, "installation.events"),
    told_at: momentOf(valueAt(payload, "installation.updated_at")),
  };
}

function suspendedAt(action: string | null, since: Json | undefined): boolean | null {
  if (action === "suspend" || action === "unsuspend") return action === "suspend";
  return since === undefined ? null : since !== null;
}

/** GitHub writes times as texts, and in older parts as seconds. */
function momentOf(time: Json | undefined): number | null {
  const momentMs = typeof time === "number" ? time * 1_000 : typeof time === "string" ? Date.parse(time) : Number.NaN;
  return Number.isSafeInteger(momentMs) ? momentMs : null;
}

function textsAt(payload: Json, path: string): string[] | null {
  const found = valueAt(payload, path);
  return Array.isArray(found) ? found.filter((one) => typeof one === "string") : null;
}

function repositoriesAt(payload: Json, path: string): InstallationChange["added"] {
  return objectsAt(payload, path).flatMap((one) => {
    const id = idAt(one, "id");
    const fullName = textAt(one, "full_name");
    return id === null || fullName === null
      ? []
      : { id, full_name: fullName, is_private: valueAt(one, "private") === true };
  });
}

/** Of those removed GitHub may leave out everything but the id. */
function removedAt(payload: Json, path: string): InstallationChange["removed"] {
  return objectsAt(payload, path).flatMap((one) => {
    const id = idAt(one, "id");
    return id === null ? [] : { id };
  });
}

function objectsAt(payload: Json, path: string): Json[] {
  const found = valueAt(payload, path);
  return Array.isArray(found) ? found.filter(isObject) : [];
}
