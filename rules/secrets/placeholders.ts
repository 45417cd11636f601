/** Secrets in the texts of variables: which a text names, and the text with their values. Pure. */
import { PLACEHOLDER } from "#protocol/secret.ts";

/** Texts by the name of their variable. */
export type Variables = Readonly<Record<string, string>>;

/** @returns which variables use each secret that they name. */
export function secretsIn(variables: Variables): Map<string, string[]> {
  const users = new Map<string, string[]>();
  for (const [variable, text] of Object.entries(variables)) {
    for (const secret of namedIn(text)) users.set(secret, [...(users.get(secret) ?? []), variable]);
  }
  return users;
}

/**
 * @param values by the secrets' names; of one that it does not have the text keeps the placeholder.
 * @returns the texts with the values in them. What a value holds is taken as it is, also where it looks like a placeholder.
 */
export function fillSecrets(variables: Variables, values: ReadonlyMap<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(variables).map(([name, text]) => [name, filled(text, values)]));
}

function namedIn(text: string): Set<string> {
  const names = [...text.matchAll(PLACEHOLDER)].flatMap(([, backslash, name]) =>
    backslash === "" && name !== undefined ? [name] : [],
  );
  return new Set(names);
}

function filled(text: string, values: ReadonlyMap<string, string>): string {
  return text.replaceAll(PLACEHOLDER, (whole: string, backslash: string, name: string) =>
    backslash === "" ? (values.get(name) ?? whole) : whole.slice(1),
  );
}
