/** The instance's GitHub App: setting it up, what is known of it, changing its keys, and forgetting it. */
import { errorAnswer, type Refusal, success } from "#protocol/errors.ts";
import {
  begunSetupSchema,
  changeAppInputSchema,
  endSetupInputSchema,
  type GithubAppState,
  githubAppStateSchema,
  setupInputSchema,
} from "#protocol/github-app.ts";
import { timestamp } from "#protocol/time.ts";
import { installUrl, listInstallations } from "../github/installations.ts";
import type { KeptApp } from "../github/kept-app.ts";
import { beginSetup, changeKeys, endSetup } from "../github/setup.ts";
import { endpoint } from "../http/endpoint.ts";
import { type App, baseUrl, type HttpContext } from "../http/http-env.ts";

const one = { path: "/api/v1/github/app", tag: "Instance", needs: "instance:admin" } as const;

export function mountGithubApp(app: App): void {
  endpoint(
    app,
    {
      ...one,
      method: "get",
      id: "readGithubApp",
      refuses: ["github_app_missing", "secret_unreadable"],
      summary: "The GitHub App, and where it is installed",
      description: "Asks GitHub. Neither its private key nor its webhook secret is shown.",
      answer: { status: 200, schema: githubAppStateSchema },
    },
    async ({ c }) => success(await stateOf(c, null)),
  );
  endpoint(
    app,
    {
      ...one,
      method: "post",
      path: `${one.path}/setup`,
      id: "beginGithubAppSetup",
      refuses: ["setup_refused"],
      summary: "Begin to set up a GitHub App",
      description:
        "A browser posts the manifest to the action; GitHub makes the App, and sends the browser back to /setup with a code and the state.",
      body: { schema: setupInputSchema, optional: true },
      answer: { status: 201, schema: begunSetupSchema },
    },
    async ({ c, body }) => success(await beginSetup(c.var.deps, baseUrl(c), body.organization, Date.now())),
  );
  endpoint(
    app,
    {
      ...one,
      method: "post",
      id: "endGithubAppSetup",
      refuses: ["setup_refused", "github_app_key_refused", "github_unreachable", "revision_conflict"],
      summary: "End the setup: take the App that GitHub has made",
      description:
        "In the place of the one before, whose webhooks and installations count for nothing from then on. A state is good once.",
      body: { schema: endSetupInputSchema, optional: false },
      answer: { status: 201, schema: githubAppStateSchema },
    },
    async ({ c, body }) => {
      const ended = await endSetup(c.var.deps, body, Date.now());
      return ended.ok ? success(await stateOf(c, ended.value)) : ended;
    },
  );
  endpoint(
    app,
    {
      ...one,
      method: "patch",
      id: "changeGithubApp",
      refuses: [
        "github_app_missing",
        "github_app_key_refused",
        "github_unreachable",
        "revision_conflict",
        "secret_unreadable",
      ],
      summary: "Change the GitHub App's private key, or its webhook secret",
      description: "A key is tried at GitHub first. The webhook secret before is accepted for a day.",
      body: { schema: changeAppInputSchema, optional: false },
      answer: { status: 200, schema: githubAppStateSchema },
    },
    async ({ c, body }) => {
      const changed = await changeKeys(c.var.deps, body, Date.now());
      return changed.ok ? success(await stateOf(c, null)) : changed;
    },
  );
  endpoint(
    app,
    {
      ...one,
      method: "delete",
      id: "forgetGithubApp",
      summary: "Forget the GitHub App",
      description: "At GitHub it stays until it is deleted there.",
      answer: { status: 204 },
    },
    async ({ c }) => {
      await c.var.deps.appKeeper.forget(Date.now());
      return success(null);
    },
  );
}

/** @param replaced the App that this one has just taken the place of. */
async function stateOf(c: HttpContext, replaced: KeptApp | null): Promise<GithubAppState> {
  const { config, appKeeper, github } = c.var.deps;
  const base = baseUrl(c);
  const around = {
    webhook_url: base.startsWith("https:") ? `${base}/webhooks/github` : null,
    has_other_credential: config.gitCredentials.has(config.github.webOrigin),
    replaced: replaced === null ? null : { name: replaced.name, html_url: replaced.html_url },
  };
  const nothing = { app: null, install_url: null, installations: [], problem: null };
  const read = await appKeeper.read(Date.now());
  if (!read.ok) return { ...nothing, problem: problemOf(read.refusal), ...around };
  if (read.value === null) return { ...nothing, ...around };
  const found = await listInstallations(github, read.value);
  return {
    app: shown(read.value),
    install_url: installUrl(read.value),
    installations: found.ok ? found.value.map(({ isSuspended, ...rest }) => ({ ...rest, suspended: isSuspended })) : [],
    problem: found.ok ? null : problemOf(found.refusal),
    ...around,
  };
}

function shown({ id, name, slug, owner, client_id, html_url, made_at_ms, webhook_secrets }: KeptApp) {
  const facts = { id, name, slug, owner, client_id, html_url };
  return { ...facts, made_at: timestamp(made_at_ms), has_webhook_secret: webhook_secrets.length > 0 };
}

function problemOf(refusal: Refusal): { code: string; message: string; hint: string } {
  const { message, hint = "" } = errorAnswer(refusal, "").body.error;
  return { code: refusal.code, message, hint };
}
