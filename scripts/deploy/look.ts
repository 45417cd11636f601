/** What a deploy has to know before it plans: the account, what is in it, and what this machine has. Changes nothing. */
import { failed, type Outcome, succeeded } from "#scripts/outcome.ts";
import { CLOUDFLARE_API, CloudflareApi, CloudflareFault } from "./cloudflare-api.ts";
import { type Account, accountsOf, type Found, findResources, findWorker } from "./resources.ts";
import type { Wanted } from "./wanted.ts";
import { readCredentials, type Wrangler } from "./wrangler.ts";

export const SIGN_IN_HINT =
  "Nobody is signed in to Cloudflare: run `npx wrangler login`, or set CLOUDFLARE_API_TOKEN (docs/deploy.md says with which permissions).";

export interface SignedIn {
  api: CloudflareApi;
  account: Account;
}

/** @returns null where nobody is signed in. */
export async function signIn(wrangler: Wrangler): Promise<Outcome<SignedIn | null>> {
  const credentials = await readCredentials(wrangler);
  if (!credentials.ok || credentials.value === null) return credentials.ok ? succeeded(null) : credentials;
  const { CLOUDFLARE_API_BASE_URL, CLOUDFLARE_ACCOUNT_ID: id } = wrangler.environment;
  const api = new CloudflareApi(CLOUDFLARE_API_BASE_URL ?? CLOUDFLARE_API, credentials.value);
  if (id) return succeeded({ api, account: { id, name: id } });
  const account = await told(() => accountsOf(api));
  return account.ok ? chooseAccount(api, account.value) : account;
}

function chooseAccount(api: CloudflareApi, accounts: Account[]): Outcome<SignedIn> {
  const [account, another] = accounts;
  if (account === undefined) {
    return failed("These credentials name no account: set CLOUDFLARE_ACCOUNT_ID (the dashboard's address has it).");
  }
  if (another === undefined) return succeeded({ api, account });
  const known = accounts.map(({ id, name }) => `  ${id}  ${name}`).join("\n");
  return failed(`These credentials open several accounts: set CLOUDFLARE_ACCOUNT_ID to one of them.\n${known}`);
}

/** @param given what the person gives: where the instance is to be, unless it is deployed already. */
export async function look(
  { api, account }: SignedIn,
  wanted: Wanted,
  given: Record<string, string>,
  domain: string | null,
): Promise<Outcome<Found>> {
  return await told(async () => {
    const worker = await findWorker(api, account.id, wanted.name);
    const jurisdiction = given["JURISDICTION"] ?? worker?.variables["JURISDICTION"];
    const place = { jurisdiction: jurisdiction || null, domain };
    return { worker, ...(await findResources(api, account.id, wanted, place)) };
  });
}

/** What Cloudflare refuses, as one line for the person. */
export async function told<Value>(ask: () => Promise<Value>): Promise<Outcome<Value>> {
  try {
    return succeeded(await ask());
  } catch (error) {
    if (error instanceof CloudflareFault) return failed(error.message);
    throw error;
  }
}
