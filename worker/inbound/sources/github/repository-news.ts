/** What an event tells of its repository itself: number, name, whether it lives, what it was called. Pure; nothing throws. */
import type { JsonObject } from "#protocol/schema.ts";
import { textAt, valueAt } from "../payload.ts";
import { idAt } from "./pull-request.ts";

export interface RepositoryNews {
  id: number;
  /** In lower case. */
  name: string;
  /** In lower case; null where the payload has no address. */
  host: string | null;
  is_private: boolean;
  /** Of the GitHub App through which it was told; null for a webhook of the repository or organization. */
  installation_id: number | null;
  account: string;
  event: string;
  /** What it was called until now, in lower case: the event tells of a new name or owner. */
  formerly: string | null;
  /** The name is new to it: it was made, renamed or transferred. */
  is_newcomer: boolean;
  /** It has another owner: what the App was denied there says nothing of the App here. */
  is_transferred: boolean;
  is_gone: boolean;
  /** The webhook that told it is gone. */
  is_unhooked: boolean;
}

/** @returns null for an event that tells of no repository. */
export function readRepositoryNews(event: string, payload: JsonObject): RepositoryNews | null {
  const id = idAt(payload, "repository.id");
  const name = textAt(payload, "repository.full_name")?.toLowerCase();
  if (id === null || name === undefined) return null;
  const action = textAt(payload, "action");
  const isOfRepository = event === "repository";
  const formerly = isOfRepository ? formerName(action, name, payload) : null;
  return {
    id,
    name,
    host: hostOf(textAt(payload, "repository.html_url")),
    is_private: valueAt(payload, "repository.private") === true,
    installation_id: idAt(payload, "installation.id"),
    account: textAt(payload, "repository.owner.login") ?? ownerOf(name),
    event,
    formerly: formerly === name ? null : formerly,
    is_newcomer: isOfRepository && (action === "created" || action === "renamed" || action === "transferred"),
    is_transferred: isOfRepository && action === "transferred",
    is_gone: isOfRepository && action === "deleted",
    is_unhooked: event === "meta" && action === "deleted",
  };
}

function formerName(action: string | null, name: string, payload: JsonObject): string | null {
  const [owner = "", short = ""] = name.split("/");
  if (action === "renamed") {
    const before = textAt(payload, "changes.repository.name.from");
    return before === null ? null : `${owner}/${before.toLowerCase()}`;
  }
  if (action !== "transferred") return null;
  const from = "changes.owner.from";
  const before = textAt(payload, `${from}.user.login`) ?? textAt(payload, `${from}.organization.login`);
  return before === null ? null : `${before.toLowerCase()}/${short}`;
}

/** An account that has another name now, in lower case: that changes the names of all its repositories. */
export function readOwnerRename(event: string, payload: JsonObject): { from: string; to: string } | null {
  if ((event !== "organization" && event !== "installation_target") || payload["action"] !== "renamed") return null;
  const from = textAt(payload, "changes.login.from") ?? textAt(payload, "changes.slug.from");
  const to =
    textAt(payload, "organization.login") ?? textAt(payload, "account.login") ?? textAt(payload, "account.slug");
  if (from === null || to === null || from === "" || to === "") return null;
  return { from: from.toLowerCase(), to: to.toLowerCase() };
}

function ownerOf(name: string): string {
  return name.split("/")[0] ?? name;
}

function hostOf(address: string | null): string | null {
  return address !== null && URL.canParse(address) ? new URL(address).host.toLowerCase() : null;
}
