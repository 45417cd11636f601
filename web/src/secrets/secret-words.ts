/** Pure: what is said of a secret. */
import type { SecretScope, SecretSource } from "#protocol/secret.ts";
import type * as api from "../client/generated.ts";

/** Shorter values are not taken out of what runs say. */
const SCRUBBED_FROM = 8;

export function scopeWords(scope: SecretScope | null): string {
  if (scope === null) return "Scope can’t be read";
  const { routines, environments, connectors } = scope;
  const isForRuns = connectors === undefined;
  const parts = [
    ...(isForRuns ? [] : [`the headers of ${counted(connectors.length, "connector")}`]),
    ...(routines === undefined ? [] : [`${isForRuns ? "" : "in "}runs of ${counted(routines.length, "routine")}`]),
    ...(environments === undefined ? [] : [`in ${counted(environments.length, "environment")}`]),
  ];
  if (parts.length === 0) return "For all runs";
  return `For ${isForRuns && routines === undefined ? "runs " : ""}${parts.join(" ")}`;
}

export function sourceWords(source: SecretSource): string {
  if ("vault" in source) return `Read from Vault: ${source.vault.path}, ${source.vault.key}`;
  const { secret_id, key } = source.aws;
  return `Read from AWS: ${key === undefined ? secret_id : `${secret_id}, ${key}`}`;
}

export function nameFault(name: string): string | undefined {
  if (name === "") return "Give it a name, as variables will name it: ACME_TOKEN.";
  if (/^[0-9]/.test(name)) return "Must not begin with a digit.";
  if (!/^[A-Za-z0-9_]{1,64}$/.test(name)) return "Must be letters of A-Z and a-z, digits and underscores, 64 at most.";
  return undefined;
}

export function valueWarning(value: string): string | undefined {
  if (value === "" || [...value.trim()].length >= SCRUBBED_FROM) return undefined;
  return `Shorter than ${SCRUBBED_FROM} characters: it will not be taken out of transcripts and logs.`;
}

/** "ci and docs-sync", "ci, docs-sync and 3 more". */
export function listed(names: readonly string[], most = 3): string {
  if (names.length <= 1) return names[0] ?? "";
  const shown = names.length > most ? names.slice(0, most - 1) : names.slice(0, -1);
  const last = names.length > most ? `${names.length - shown.length} more` : (names.at(-1) ?? "");
  return `${shown.join(", ")} and ${last}`;
}

/** A list with nothing in it would be refused: it stands for all, which is said by leaving it out. */
export function narrowed(scope: SecretScope): api.SecretScope {
  const lists = Object.entries(scope).filter(([, ids]) => ids !== undefined && ids.length > 0);
  return Object.fromEntries(lists);
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
