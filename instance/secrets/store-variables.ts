/** The variables by which an instance knows stores of secrets. Their names are its own: a deploy takes none that other programs go by. */
import { z } from "zod";
import { webAddress } from "#protocol/web-address.ts";
import type { AwsAccess } from "./aws-secrets.ts";
import type { VaultAccess } from "./vault-secrets.ts";

/** An empty variable counts as one that is not set. */
const text = <Schema extends z.ZodType>(schema: Schema) =>
  z.preprocess((value) => (value === "" ? undefined : value), schema.optional());
const url = webAddress("must be an http(s) address");
/** It is sent in a header. */
const credential = z.string().regex(/^[!-~]+$/, "must have no space, line break or letter of another script");

export const storeVariables = {
  SECRETS_VAULT_URL: text(url),
  SECRETS_VAULT_NAMESPACE: text(credential),
  SECRETS_VAULT_TOKEN: text(credential),
  SECRETS_VAULT_ROLE_ID: text(z.string()),
  SECRETS_VAULT_SECRET_ID: text(z.string()),
  SECRETS_AWS_REGION: text(
    z.string().regex(/^[a-z]{2}(-[a-z]+)+-[0-9]{1,2}$/, 'must be a region, for example "eu-central-1"'),
  ),
  SECRETS_AWS_ACCESS_KEY_ID: text(credential),
  SECRETS_AWS_SECRET_ACCESS_KEY: text(z.string()),
  SECRETS_AWS_SESSION_TOKEN: text(credential),
  SECRETS_AWS_URL: text(url),
};

/** As the platform hands them over. */
export type StoreVariables = { [Name in keyof typeof storeVariables]?: string };

type Given = { [Name in keyof typeof storeVariables]?: string | undefined };

export interface SecretStores {
  vault: VaultAccess | null;
  aws: AwsAccess | null;
}

/** A store that is named in part is a fault: nobody would hear of it before a run fails. */
export function checkStores(given: Given, context: z.core.$RefinementCtx): void {
  const wants = (field: keyof Given, message: string) =>
    context.addIssue({ code: "custom", path: [field], message, input: given });
  const hasRole = given.SECRETS_VAULT_ROLE_ID !== undefined && given.SECRETS_VAULT_SECRET_ID !== undefined;
  const hasVault = given.SECRETS_VAULT_URL !== undefined;
  if (hasVault && given.SECRETS_VAULT_TOKEN === undefined && !hasRole) {
    wants("SECRETS_VAULT_TOKEN", "is missing, or SECRETS_VAULT_ROLE_ID and SECRETS_VAULT_SECRET_ID");
  }
  if (
    !hasVault &&
    Object.entries(given).some(([name, value]) => name.startsWith("SECRETS_VAULT_") && value !== undefined)
  ) {
    wants("SECRETS_VAULT_URL", "is missing: the address of Vault, for example https://vault.example.com:8200");
  }
  const ofAws = ["SECRETS_AWS_REGION", "SECRETS_AWS_ACCESS_KEY_ID", "SECRETS_AWS_SECRET_ACCESS_KEY"] as const;
  if (Object.entries(given).some(([name, value]) => name.startsWith("SECRETS_AWS_") && value !== undefined)) {
    for (const name of ofAws) if (given[name] === undefined) wants(name, "is missing");
  }
}

export function storesIn(given: Given): SecretStores {
  return { vault: vaultIn(given), aws: awsIn(given) };
}

function vaultIn(given: Given): VaultAccess | null {
  const { SECRETS_VAULT_URL: address, SECRETS_VAULT_TOKEN: token } = given;
  if (address === undefined) return null;
  const role = { roleId: given.SECRETS_VAULT_ROLE_ID ?? "", secretId: given.SECRETS_VAULT_SECRET_ID ?? "" };
  const auth = token === undefined ? role : { token };
  return { url: address.replace(/\/+$/, ""), namespace: given.SECRETS_VAULT_NAMESPACE ?? null, auth };
}

function awsIn(given: Given): AwsAccess | null {
  const { SECRETS_AWS_REGION: region, SECRETS_AWS_ACCESS_KEY_ID: accessKeyId } = given;
  if (region === undefined || accessKeyId === undefined) return null;
  const secretAccessKey = given.SECRETS_AWS_SECRET_ACCESS_KEY ?? "";
  const credentials = { accessKeyId, secretAccessKey, sessionToken: given.SECRETS_AWS_SESSION_TOKEN ?? null };
  return { credentials, region, url: given.SECRETS_AWS_URL?.replace(/\/+$/, "") ?? null };
}
