/** Whether there is a way to clone and push: the GitHub App with its key and installations, or a credential of another kind. */
import type { Config } from "#instance/config.ts";
import type { Finding } from "#protocol/diagnosis.ts";
import { errorAnswer, type Refusal } from "#protocol/errors.ts";
import type { GithubRequest } from "../github/github-api.ts";
import { type AppFacts, installUrl, listInstallations, webhookUrl } from "../github/installations.ts";
import type { AppKeeper } from "../github/kept-app.ts";
import { type Check, fault, unknown, warning, well } from "./finding.ts";

const CHECK = "github_app";
const WEBHOOKS = "github_webhooks";
const SET_UP = "Set up a GitHub App at /setup, or set GIT_CREDENTIALS, as .dev.vars.example shows.";

export interface GithubAppParts {
  config: Pick<Config, "gitCredentials" | "isLocal" | "publicUrl">;
  appKeeper: Pick<AppKeeper, "read">;
  github: GithubRequest;
  now(): number;
}

export function githubAppCheck(parts: GithubAppParts): Check {
  return { name: CHECK, look: async () => lookAtApp(parts) };
}

async function lookAtApp({ config, appKeeper, github, now }: GithubAppParts): Promise<Finding[]> {
  const app = await appKeeper.read(now());
  if (!app.ok) return [told(app.refusal)];
  if (app.value === null) return config.gitCredentials.size > 0 || config.isLocal ? [] : [warning(CHECK, NONE, SET_UP)];
  const { name } = app.value;
  const installations = await listInstallations(github, app.value);
  if (!installations.ok) return [told(installations.refusal)];
  const open = installations.value.filter(({ isSuspended }) => !isSuspended);
  if (open.length > 0) {
    const accounts = open.map(({ account }) => account).join(", ");
    const installed = well(CHECK, `The GitHub App ${name} is installed on ${accounts}.`);
    return [installed, ...(await webhookFindings(github, app.value, config.publicUrl))];
  }
  const [suspended] = installations.value;
  return suspended === undefined
    ? [warning(CHECK, `The GitHub App ${name} is installed nowhere.`, `Install it at ${installUrl(app.value)}.`)]
    : [warning(CHECK, `Each installation of the GitHub App ${name} is suspended.`, `See ${suspended.url}.`)];
}

/** An App keeps the webhook address that it was made with, also where the instance has moved. */
async function webhookFindings(github: GithubRequest, app: AppFacts, publicUrl: string | null): Promise<Finding[]> {
  if (publicUrl === null) return [];
  const wanted = `${publicUrl.replace(/\/+$/, "")}/webhooks/github`;
  const told = await webhookUrl(github, app);
  if (!told.ok) return [unknown(WEBHOOKS, "Where GitHub sends the App's webhooks could not be found out.")];
  if (told.value === wanted) return [well(WEBHOOKS, "GitHub sends the App's webhooks to this instance.")];
  const where = told.value === null ? "nowhere" : `to ${told.value}`;
  const hint = `Set the webhook's URL in the settings of the App (${app.html_url}) to ${wanted}.`;
  return [warning(WEBHOOKS, `GitHub sends the App's webhooks ${where}.`, hint)];
}

const NONE = "There is no credential for any git host: public repositories are cloned, and nothing can be pushed.";

/** What passes by itself is a warning. */
function told(refusal: Refusal): Finding {
  const { message, hint = "" } = errorAnswer(refusal, "").body.error;
  return refusal.code === "github_unreachable" ? warning(CHECK, message, hint) : fault(CHECK, message, hint);
}
